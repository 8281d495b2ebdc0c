#!/bin/sh
# See to the system packages some tests need: a browser, Chinese fonts, the PDF tools. As root on
# Debian or Ubuntu what is missing is installed; elsewhere it is named, and those tests say loudly
# that they did not run.
set -u

browser() {
    for name in chromium-headless-shell chromium chromium-browser google-chrome; do
        command -v "$name" && return
    done
    return 1
}
fonts() { ls /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc; }

missing=""
browser >/dev/null 2>&1 || missing="$missing chromium"
fonts >/dev/null 2>&1 || missing="$missing fonts-noto-cjk"
command -v pdftotext >/dev/null || missing="$missing poppler-utils"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$missing ..."
    apt-get update -qq </dev/null
    for package in $missing; do
        # The same browser without its windows takes two thirds of the time.
        if [ "$package" = chromium ] && apt-cache show "$package-headless-shell" >/dev/null 2>&1
        then package="$package-headless-shell"; fi
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            "$package" </dev/null >/dev/null || echo "!!! could not install $package"
    done
else
    echo "!!! missing system packages:$missing (run: sudo apt-get install$missing)"
fi
exit 0
