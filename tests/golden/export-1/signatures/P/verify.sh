#!/bin/sh
# Checks every statement in this folder with the ssh-keygen of this computer: that the person whom
# the statement names signed it, and that the content beside it is the one that it was given for.
cd "$(dirname "$0")" || exit 1
failed=0
claim() { sed -n "s/^$2: //p" "$1.statement.txt"; }
digest() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi |
    cut -c 1-64
}
check() {
  echo "$1"
  ssh-keygen -Y verify -f allowed_signers -I "$(claim "$1" Person)" -n govledger \
    -s "$1.statement.txt.sig" <"$1.statement.txt" || failed=1
  if [ "$2" = not-held ]; then
    echo "The content is not held by the ledger any more."
  elif [ "$(digest "$1.content.txt")" = "$(claim "$1" "Content SHA-256")" ]; then
    echo "Good content"
  else
    echo "The content is NOT the one that was signed for."
    failed=1
  fi
}
check entry-49-C1-phase-1-approve-chair held
check entry-71-C1-phase-1-confirm-chair held
if [ $failed -ne 0 ]; then echo "NOT everything is good."; exit 1; fi
echo "Everything is good."
