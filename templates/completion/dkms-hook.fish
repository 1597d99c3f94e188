# Completion of dkms-hook and dkms for fish: actions, options, and what is on
# this machine's disk.

# What the command line gives an option, or else the default.
function __dkms_hook_given --argument-names option default
    set -l words (commandline -opc)
    for i in (seq (count $words))
        if test "$words[$i]" = $option; and set -q words[(math $i + 1)]
            echo $words[(math $i + 1)]
            return
        else if string match -q -- "$option=*" $words[$i]
            string replace -- "$option=" '' $words[$i]
            return
        end
    end
    echo $default
end

# NAME/VER of what is in the tree.
function __dkms_hook_registered
    set -l tree (__dkms_hook_given --root '')(__dkms_hook_given --dkmstree /var/lib/dkms)
    for path in $tree/*/*/source
        test -L $path; and string replace -- "$tree/" '' (dirname $path)
    end
end

# NAME/VER of the sources that could be registered.
function __dkms_hook_sources
    set -l sources (__dkms_hook_given --root '')(__dkms_hook_given --sourcetree /usr/src)
    for conf in $sources/*-*/dkms.conf
        set -l dir (basename (dirname $conf))
        set -l name (string replace -rf '^PACKAGE_NAME=["\']?([^"\' ]*).*' '$1' <$conf)[1]
        if test -z "$name"; or not string match -q -- "$name-*" $dir
            set name (string replace -r -- '-[^-]*$' '' $dir)
        end
        echo $name/(string replace -- "$name-" '' $dir)
    end
end

function __dkms_hook_packages
    __dkms_hook_registered
    __dkms_hook_sources
end

function __dkms_hook_versions
    set -l name (__dkms_hook_given -m (__dkms_hook_given --module ''))
    for package in (__dkms_hook_packages)
        set -l parts (string split -m 1 / $package)
        if test -z "$name"; or test "$parts[1]" = "$name"
            echo $parts[2]
        end
    end
end

function __dkms_hook_kernels
    set -l modules (__dkms_hook_given --root '')(__dkms_hook_given --installtree /lib/modules)
    for path in $modules/*/
        basename $path
    end
end

set -l theirs add autoinstall build generate_mok install kernel_postinst kernel_preinst kernel_prerm ldtarball match mktarball remove status unbuild uninstall
set -l ours cache check demo doctor plan register report retire retry sync

for c in dkms-hook dkms
    set -l actions $theirs
    test $c = dkms; or set actions $theirs $ours
    set -l none "not __fish_seen_subcommand_from $actions"

    complete -c $c -f
    complete -c $c -n $none -a add -d 'register a package'
    complete -c $c -n $none -a autoinstall -d 'install all that is AUTOINSTALL for a kernel'
    complete -c $c -n $none -a build -d 'compile it for a kernel'
    complete -c $c -n $none -a generate_mok -d 'make the key pair that signs modules'
    complete -c $c -n $none -a install -d 'put the modules where the kernel finds them'
    complete -c $c -n $none -a kernel_postinst -d 'for hooks: a kernel has been installed'
    complete -c $c -n $none -a kernel_preinst -d 'for hooks: a kernel is about to be replaced'
    complete -c $c -n $none -a kernel_prerm -d 'for hooks: a kernel is about to be removed'
    complete -c $c -n $none -a ldtarball -d 'load an archive'
    complete -c $c -n $none -a match -d 'install on one kernel what another has'
    complete -c $c -n $none -a mktarball -d 'pack a package into an archive'
    complete -c $c -n $none -a remove -d 'unbuild, and unregister the package'
    complete -c $c -n $none -a status -d 'list packages, kernels and states'
    complete -c $c -n $none -a unbuild -d 'uninstall, and forget what was built'
    complete -c $c -n $none -a uninstall -d 'take the modules away from the kernel'
    if test $c = dkms-hook
        complete -c $c -n $none -a cache -d 'show or remove the built modules that are kept'
        complete -c $c -n $none -a check -d 'is every module there for the next boot?'
        complete -c $c -n $none -a demo -d 'build and install a sample module in a throw-away root'
        complete -c $c -n $none -a doctor -d 'explain what is odd in the tree'
        complete -c $c -n $none -a plan -d 'show what sync would do, and why'
        complete -c $c -n $none -a register -d 'for scriptlets: a package has been installed'
        complete -c $c -n $none -a report -d 'show what the last run did'
        complete -c $c -n $none -a retire -d 'for scriptlets: a package is being replaced'
        complete -c $c -n $none -a retry -d 'try again what has failed'
        complete -c $c -n $none -a sync -d 'make every module match'
    end

    complete -c $c -n '__fish_seen_subcommand_from add build install' -F -a '(__dkms_hook_packages)'
    complete -c $c -n '__fish_seen_subcommand_from cache' -a 'list prune'
    complete -c $c -n '__fish_seen_subcommand_from ldtarball' -F
    complete -c $c -n '__fish_seen_subcommand_from match mktarball register remove retire retry status unbuild uninstall' -a '(__dkms_hook_registered)'

    complete -c $c -s m -l module -x -a '(__dkms_hook_packages)' -d 'package'
    complete -c $c -s v -x -a '(__dkms_hook_versions)' -d 'package version'
    complete -c $c -s k -l kernelver -x -a '(__dkms_hook_kernels)' -d 'kernel release'
    complete -c $c -s a -l arch -x -a '(uname -m)' -d 'architecture'
    complete -c $c -l all -d 'every kernel the package is built for'
    complete -c $c -l all-kernels -d 'every kernel on disk'
    complete -c $c -s c -r -F -d 'use this dkms.conf'
    complete -c $c -l config -r -F -d 'kernel configuration'
    complete -c $c -l kernelsourcedir -x -a '(__fish_complete_directories)' -d 'kernel headers'
    complete -c $c -l templatekernel -x -a '(__dkms_hook_kernels)' -d 'do as on this kernel'
    complete -c $c -l archive -r -F -d 'the tarball'
    complete -c $c -l directive -x -d 'NAME=VALUE wins over dkms.conf'
    complete -c $c -l force -d 'do it although something speaks against it'
    complete -c $c -l force-version-override -d 'install over the same or a newer version'
    complete -c $c -l binaries-only -d 'without the source'
    complete -c $c -l source-only -d 'without built modules'
    complete -c $c -l no-depmod -d 'do not run depmod'
    complete -c $c -l modprobe-on-install -d 'load the modules after installing them'
    complete -c $c -l rpm_safe_upgrade -d 'keep what an upgrade has just installed'
    complete -c $c -l dkmstree -x -a '(__fish_complete_directories)' -d 'the tree'
    complete -c $c -l sourcetree -x -a '(__fish_complete_directories)' -d 'where sources are'
    complete -c $c -l installtree -x -a '(__fish_complete_directories)' -d 'where modules are'
    complete -c $c -l symlink-modules -d 'install links to the tree'
    complete -c $c -s j -x -d 'compilers at a time'
    complete -c $c -l root -x -a '(__fish_complete_directories)' -d 'work inside a root file system'
    complete -c $c -l trace -r -F -d 'write what ran when'
    complete -c $c -l html -r -F -d 'write a page about the last run'
    complete -c $c -l fix -d 'mend what is safe to mend'
    complete -c $c -l json -d 'machine-readable output'
    complete -c $c -s q -l quiet -d 'print errors only'
    complete -c $c -l verbose -d 'print what the build prints'
    complete -c $c -l debug -d 'the same as --verbose'
    complete -c $c -s V -l version -d 'print the version'
    complete -c $c -s h -l help -d 'print a summary'
end
