"""Makes the BIO callback hand back an operation's own result after every operation (README.md). Argument: the source file."""
import sys

BEFORE = "(operationType == BIO_CB_RETURN) ?"
AFTER = "((operationType & BIO_CB_RETURN) != 0) ?"

path = sys.argv[1]
with open(path, encoding="utf-8") as file:
    text = file.read()
if text.count(BEFORE) != 1:
    sys.exit(f"{path}: expected once, found {text.count(BEFORE)} times: {BEFORE}\n"
             "This mediasoup differs from the one the patch was written for: look at onSslBioOut.")
with open(path, "w", encoding="utf-8") as file:
    file.write(text.replace(BEFORE, AFTER))
