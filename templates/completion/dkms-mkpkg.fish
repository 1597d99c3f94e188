# Completion of dkms-mkpkg for fish: actions, the options of each and their
# values, kernels, and the files that an action takes.

function __dkms_mkpkg_kernels
    set -l modules /lib/modules
    set -l words (commandline -opc)
    for i in (seq (count $words))
        if test "$words[$i]" = --installtree; and set -q words[(math $i + 1)]
            set modules $words[(math $i + 1)]
        else if string match -q -- '--installtree=*' $words[$i]
            set modules (string replace -- --installtree= '' $words[$i])
        end
    end
    for path in $modules/*/
        basename $path
    end
end

# Files by their endings, and directories on the way to them.
function __dkms_mkpkg_packages
    __fish_complete_path (commandline -ct) | string match -r '^[^\t]*(?:/|\.deb|\.rpm)(?:\t.*)?$'
end

set -l actions init lint source kmod inspect spec debian schema
set -l none "not __fish_seen_subcommand_from $actions"

complete -c dkms-mkpkg -f
complete -c dkms-mkpkg -n $none -a init -d 'write a dkms.conf'
complete -c dkms-mkpkg -n $none -a lint -d 'find what is wrong, or will be'
complete -c dkms-mkpkg -n $none -a source -d 'package a source'
complete -c dkms-mkpkg -n $none -a kmod -d 'build modules, and package them'
complete -c dkms-mkpkg -n $none -a inspect -d 'show what is in packages'
complete -c dkms-mkpkg -n $none -a spec -d 'write a spec file'
complete -c dkms-mkpkg -n $none -a debian -d 'write a debian directory'
complete -c dkms-mkpkg -n $none -a schema -d 'print the JSON schema of dkms-mkpkg.yaml'
complete -c dkms-mkpkg -n $none -s V -l version -d 'print the version'
complete -c dkms-mkpkg -s h -l help -d 'print a summary'

complete -c dkms-mkpkg -n '__fish_seen_subcommand_from init source kmod spec debian' -a '(__fish_complete_directories)'
complete -c dkms-mkpkg -n '__fish_seen_subcommand_from lint' -F
complete -c dkms-mkpkg -n '__fish_seen_subcommand_from inspect' -a '(__dkms_mkpkg_packages)'

set -l for '__fish_seen_subcommand_from source kmod spec debian'
complete -c dkms-mkpkg -n $for -s m -l module -x -d 'the name'
complete -c dkms-mkpkg -n $for -s v -x -d 'the version'
complete -c dkms-mkpkg -n $for -l release -x -d 'the packaging\'s own number'
complete -c dkms-mkpkg -n $for -l config -r -F -d 'instead of dkms-mkpkg.yaml'
complete -c dkms-mkpkg -n $for -s o -l output -x -a '(__fish_complete_directories)' -d 'write there'
complete -c dkms-mkpkg -n $for -s q -l quiet -d 'print errors only'

set -l for '__fish_seen_subcommand_from source kmod'
complete -c dkms-mkpkg -n $for -l format -x -a 'deb rpm deb,rpm' -d 'of the packages'
complete -c dkms-mkpkg -n $for -l compress -x -a 'gzip xz zstd none' -d 'how packages are compressed'
complete -c dkms-mkpkg -n $for -l sign-key -r -F -d 'sign the packages by it'
complete -c dkms-mkpkg -n $for -l no-sbom -d 'packages only'
complete -c dkms-mkpkg -n '__fish_seen_subcommand_from source' -l format -x -a src.rpm

set -l for '__fish_seen_subcommand_from kmod inspect'
complete -c dkms-mkpkg -n $for -s k -l kernel -x -a '(__dkms_mkpkg_kernels)' -d 'kernel release'
complete -c dkms-mkpkg -n $for -l installtree -x -a '(__fish_complete_directories)' -d 'where kernels are'

set -l for '__fish_seen_subcommand_from kmod'
complete -c dkms-mkpkg -n $for -l abi -x -a 'exact ksym' -d 'which kernels the modules fit'
complete -c dkms-mkpkg -n $for -l kernelsourcedir -x -a '(__fish_complete_directories)' -d 'kernel headers'
complete -c dkms-mkpkg -n $for -l image-version -x -d 'version of the image\'s package'
complete -c dkms-mkpkg -n $for -l symvers -x -d 'what a package of BUILD_DEPENDS exports: NAME=PATH'
complete -c dkms-mkpkg -n $for -l key -r -F -d 'sign the modules by it'
complete -c dkms-mkpkg -n $for -l cert -r -F -d 'the certificate to it'
complete -c dkms-mkpkg -n $for -l debug -d 'debug packages, too'
complete -c dkms-mkpkg -n $for -l no-meta -d 'no package that follows the newest kernel'
complete -c dkms-mkpkg -n $for -s j -x -d 'compilers at a time'
complete -c dkms-mkpkg -n $for -l verbose -d 'print what the build prints'

complete -c dkms-mkpkg -n '__fish_seen_subcommand_from spec' -l kind -x -a 'dkms kmod' -d 'of package'
complete -c dkms-mkpkg -n '__fish_seen_subcommand_from init spec debian' -l force -d 'replace what is there'
complete -c dkms-mkpkg -n '__fish_seen_subcommand_from init' -l makefile -d 'write a Kbuild file, too'
complete -c dkms-mkpkg -n '__fish_seen_subcommand_from lint' -l rules -d 'list the rules'
complete -c dkms-mkpkg -n '__fish_seen_subcommand_from lint' -l sarif -d 'print SARIF'
complete -c dkms-mkpkg -n '__fish_seen_subcommand_from lint inspect' -l json -d 'print JSON'
complete -c dkms-mkpkg -n '__fish_seen_subcommand_from inspect' -l symbols -d 'list the symbols of modules'
