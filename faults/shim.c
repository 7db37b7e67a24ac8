/* Stands between a process and the C library, where SQLite writes a ledger's files.

   Loaded with LD_PRELOAD. It counts what changes the files of one folder (create, write, sync,
   truncate, remove), and at the one it is armed for kills the process or answers with an error.
   It can also log each of them, with the bytes, so that a power cut can be worked out later. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { NOTHING, KILL, KILL_HALFWAY, IO_ERROR, NO_SPACE };
enum { MOST_FILES = 1024 };

static char folder[PATH_MAX];     /* what is watched; empty: nothing */
static char *paths[MOST_FILES];   /* of the watched files that are open, by descriptor */
static int armed, stays, log_to = -1;
static long due, count;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

/* Watch the files of a folder from now on; counts from 0 again. */
void faults_watch(const char *path) {
    strncpy(folder, path, sizeof folder - 1);
    count = 0;
    armed = NOTHING;
}

/* At the nth change (from 1) do this; `on` = 1: and at every later one too. */
void faults_arm(int what, long nth, int on) {
    armed = what;
    due = nth;
    stays = on;
}

long faults_count(void) { return count; }

/* Log every change to this descriptor from now on. */
void faults_log(int fd) { log_to = fd; }

static int watched(const char *path) {
    size_t length = strlen(folder);
    return length && path && strncmp(path, folder, length) == 0 &&
           (path[length] == '/' || path[length] == 0);
}

static const char *path_of(int fd) {
    return fd >= 0 && fd < MOST_FILES && folder[0] ? paths[fd] : NULL;
}

static void put(const void *bytes, size_t length) {
    const char *at = bytes;
    while (length) {
        ssize_t done = REAL(write)(log_to, at, length);
        if (done <= 0) abort();
        at += done;
        length -= done;
    }
}

static void note(char what, const char *path, int64_t offset, int64_t length, const void *bytes) {
    if (log_to < 0) return;
    int64_t sizes[3] = {(int64_t)strlen(path), offset, length};
    put(&what, 1);
    put(sizes, sizeof sizes);
    put(path, sizes[0]);
    if (bytes) put(bytes, length);
}

/* Count a change; whether it is to fail, with errno set. */
static int fails(void) {
    count++;
    if (armed == NOTHING || !(count == due || (stays && count > due))) return 0;
    if (armed == KILL) kill(getpid(), SIGKILL);
    if (armed == KILL_HALFWAY) return 0;
    errno = armed == NO_SPACE ? ENOSPC : EIO;
    return 1;
}

static int opened(int fd, const char *path) {
    if (fd >= 0 && fd < MOST_FILES) {
        free(paths[fd]);
        paths[fd] = watched(path) ? strdup(path) : NULL;
    }
    return fd;
}

static int open_as(const char *path, int flags, mode_t mode) {
    struct stat there;
    int fresh = watched(path) && (flags & O_CREAT) && stat(path, &there) != 0;
    if (fresh && fails()) return -1;
    int fd = opened(REAL(open)(path, flags, mode), path);
    if (fresh && fd >= 0) note('c', path, 0, 0, NULL);
    return fd;
}

#define OPENS(name)                                                  \
    int name(const char *path, int flags, ...) {                     \
        mode_t mode = 0;                                             \
        if (flags & (O_CREAT | O_TMPFILE)) {                         \
            va_list rest;                                            \
            va_start(rest, flags);                                   \
            mode = va_arg(rest, mode_t);                             \
            va_end(rest);                                            \
        }                                                            \
        return open_as(path, flags, mode);                           \
    }
OPENS(open)
OPENS(open64)

int close(int fd) {
    if (fd >= 0 && fd < MOST_FILES) {
        free(paths[fd]);
        paths[fd] = NULL;
    }
    return REAL(close)(fd);
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t offset) {
    const char *path = path_of(fd);
    if (!path) return REAL(pwrite)(fd, bytes, length, offset);
    if (fails()) return -1;
    if (armed == KILL_HALFWAY && count == due) {
        REAL(pwrite)(fd, bytes, length / 2, offset);
        kill(getpid(), SIGKILL);
    }
    ssize_t done = REAL(pwrite)(fd, bytes, length, offset);
    if (done > 0) note('w', path, offset, done, bytes);
    return done;
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return write_at(fd, bytes, n, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    return write_at(fd, bytes, n, at);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (path_of(fd)) return write_at(fd, bytes, length, lseek(fd, 0, SEEK_CUR));
    ssize_t done = REAL(write)(fd, bytes, length);
    /* What a person is told, so that the log says when. */
    if (fd == 1 && folder[0] && done > 0) note('m', "", 0, done, bytes);
    return done;
}

#define SYNCS(name)                          \
    int name(int fd) {                       \
        const char *path = path_of(fd);      \
        if (path && fails()) return -1;      \
        int done = REAL(name)(fd);           \
        if (path && !done) note('s', path, 0, 0, NULL); \
        return done;                         \
    }
SYNCS(fsync)
SYNCS(fdatasync)

#define TRUNCATES(name, type)                \
    int name(int fd, type length) {          \
        const char *path = path_of(fd);      \
        if (path && fails()) return -1;      \
        int done = REAL(name)(fd, length);   \
        if (path && !done) note('t', path, length, 0, NULL); \
        return done;                         \
    }
TRUNCATES(ftruncate, off_t)
TRUNCATES(ftruncate64, off64_t)

int unlink(const char *path) {
    struct stat there;
    int counts = watched(path) && stat(path, &there) == 0;
    if (counts && fails()) return -1;
    int done = REAL(unlink)(path);
    if (counts && !done) note('u', path, 0, 0, NULL);
    return done;
}
