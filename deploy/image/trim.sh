#!/bin/sh
# Take out of the environment of the image what no command of triton-watch reads, and compile the rest: the root file
# system is read-only, so that nothing can be compiled later.  Usage: trim.sh FOLDER_OF_THE_ENVIRONMENT
set -eu
cd "$1"
bin/python -m pip uninstall --quiet --yes pip setuptools
cd lib/python3.*/site-packages

# Tests, stubs of types, sources of extensions; lists of files, which would no longer be right.
find . -path ./triton_watch -prune -o -type d -name tests -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.p[xy][dx]' -o -name '*.[hca]' \) -delete
rm -f ./*.dist-info/RECORD

# pydantic's first interface, and the plug-in for mypy.
rm -rf pydantic/v1 pydantic/mypy.py

# Of Pygments' lexers those of the languages that runbooks have code in.
find pygments/lexers -type f ! -name '__init__.py' ! -name '_mapping.py' \
    ! -name bash.py ! -name shell.py ! -name data.py ! -name dsls.py ! -name promql.py ! -name special.py -delete

# What only debuggers read.
find . -type f \( -name '*.so' -o -name '*.so.*' \) -exec strip --strip-unneeded {} +

# Others' modules are there compiled alone, beside no source. Ours keep it: a traceback in a report shows the lines; and
# tritonclient's, for `check` reads one of its files by its name. Compiled code that is never compared with a source is
# right whatever time the files get in a layer.
compile="../../../bin/python -m compileall -q --invalidation-mode unchecked-hash"
$compile "$PWD/triton_watch" "$PWD/tritonclient"
for each in *; do
    case $each in
    triton_watch | tritonclient | *.dist-info | *.so) ;;
    *)
        $compile -b "$PWD/$each"
        find "$each" -name '*.py' -delete
        ;;
    esac
done
