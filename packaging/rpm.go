package main

import (
	"io"
	"path"
	"slices"
	"strings"

	"github.com/google/rpmpack"
)

// writeRPM makes the RPM package. nfpm would do, but for the file trigger.
func writeRPM(r release, entries []entry, w io.Writer) error {
	meta, err := rpmMeta(r)
	if err != nil {
		return err
	}
	p, err := rpmpack.NewRPM(meta)
	if err != nil {
		return err
	}
	addFiles(p, r, entries)
	for name, add := range map[string]func(string){
		"post": p.AddPostin, "preun": p.AddPreun, "postun": p.AddPostun, "posttrans": p.AddPosttrans,
	} {
		text, err := script("rpm/" + name)
		if err != nil {
			return err
		}
		add(text)
	}
	trigger, err := script("rpm/transfiletrigger")
	if err != nil {
		return err
	}
	addFileTriggers(p, trigger, "/usr/src", "/lib/modules", "/usr/lib/modules")
	addLog(p, r)
	return p.Write(w)
}

func rpmMeta(r release) (rpmpack.RPMMetaData, error) {
	m := rpmpack.RPMMetaData{
		Name: name, Version: r.version, Release: "1", Arch: "x86_64", Epoch: rpmpack.NoEpoch,
		Summary: strings.ToUpper(summary[:1]) + summary[1:], Description: description, Licence: "Apache-2.0", URL: homepage, Group: "System/Kernel",
		Packager: maintainer, Vendor: name, BuildHost: "localhost", BuildTime: r.time, Compressor: "xz",
	}
	for _, list := range []struct {
		to    *rpmpack.Relations
		words []string
	}{
		// No Obsoletes: whoever has dkms keeps it until asking for us (dnf
		// swap), and can swap back.
		{&m.Provides, []string{"dkms = " + dkmsLevel, "/sbin/dkms"}},
		{&m.Conflicts, []string{"dkms"}},
		{&m.Requires, requires},
		{&m.Recommends, []string{"openssl", "(kernel-default-devel if kernel-default)"}},
	} {
		for _, word := range list.words {
			if err := list.to.Set(word); err != nil {
				return m, err
			}
		}
	}
	m.Requires = append(m.Requires, rpmlib...)
	return m, nil
}

// requires are what a build of a module needs besides a kernel's headers: what
// Makefiles call, and what kbuild compiles itself. The headers have to be those
// of the very kernels, which only kernel-devel-matched promises.
var requires = []string{
	"bash", "binutils", "coreutils", "diffutils", "findutils", "gawk", "gcc", "grep", "kmod", "make", "patch", "sed",
	"(elfutils-libelf-devel or libelf-devel)",
	"(kernel-devel-matched if kernel-core)",
	"(kernel-debug-devel-matched if kernel-debug-core)",
}

// Flags of dependencies, rpmds.h: what a scriptlet needs comes before it.
const (
	senseInterpreter = 1 << 8
	sensePost        = 1 << 10
	sensePreun       = 1 << 11
	sensePostun      = 1 << 12
	scriptlets       = senseInterpreter | sensePost | sensePreun | sensePostun
)

// rpmlib are what rpmbuild would add: the interpreter of the scriptlets, and
// the features of rpm that the package makes use of.
var rpmlib = rpmpack.Relations{
	{Name: "/bin/sh", Sense: scriptlets},
	{Name: "rpmlib(CompressedFileNames)", Version: "3.0.4-1", Sense: rpmpack.SenseRPMLIB | rpmpack.SenseLess | rpmpack.SenseEqual},
	{Name: "rpmlib(FileDigests)", Version: "4.6.0-1", Sense: rpmpack.SenseRPMLIB | rpmpack.SenseLess | rpmpack.SenseEqual},
	{Name: "rpmlib(PayloadFilesHavePrefix)", Version: "4.0-1", Sense: rpmpack.SenseRPMLIB | rpmpack.SenseLess | rpmpack.SenseEqual},
	{Name: "rpmlib(PayloadIsXz)", Version: "5.2-1", Sense: rpmpack.SenseRPMLIB | rpmpack.SenseLess | rpmpack.SenseEqual},
	{Name: "rpmlib(RichDependencies)", Version: "4.12.0-1", Sense: rpmpack.SenseRPMLIB | rpmpack.SenseLess | rpmpack.SenseEqual},
}

// addFiles adds what the package brings. rpmpack has names in the payload that
// begin with a slash, so that who unpacks it by hand, rpm2cpio p.rpm | cpio -i,
// writes over the machine's own files. rpmbuild has a dot before them there, but
// not in the header.
func addFiles(p *rpmpack.RPM, r release, entries []entry) {
	var dirs []string
	for _, e := range entries {
		f := rpmFile(r, e)
		f.Name = "." + f.Name
		p.AddFile(f)
		if dir, _ := path.Split(e.path); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	p.AddCustomTag(tagDirNames, rpmpack.EntryStringSlice(dirs))
}

// File types of inode(7), which RPM has in a file's mode.
const (
	isDirectory = 0o040000
	isLink      = 0o120000
)

func rpmFile(r release, e entry) rpmpack.RPMFile {
	f := rpmpack.RPMFile{Name: e.path, Body: e.body, Mode: uint(e.mode), Owner: "root", Group: "root", MTime: uint32(r.time.Unix())}
	switch e.kind {
	case directory:
		f.Mode |= isDirectory
	case link:
		f.Mode |= isLink
	case doc:
		f.Type = rpmpack.DocFile
	case licence:
		f.Type = rpmpack.LicenceFile
	}
	return f
}

// Tags of rpmtag.h that rpmpack does not know, or not as we need them.
const (
	tagDirNames                   = 1118
	tagChangelogTime              = 1080
	tagChangelogName              = 1081
	tagChangelogText              = 1082
	tagTransFileTriggerScripts    = 5076
	tagTransFileTriggerScriptProg = 5077
	tagTransFileTriggerName       = 5079
	tagTransFileTriggerIndex      = 5080
	tagTransFileTriggerVersion    = 5081
	tagTransFileTriggerFlags      = 5082
	tagTransFileTriggerPriorities = 5085

	senseTriggerIn     = 1 << 16
	senseTriggerPostun = 1 << 18
	defaultPriority    = 1000000 // rpmbuild's
)

// addFileTriggers adds %transfiletriggerin and %transfiletriggerpostun --
// PREFIX…, rpm-scriptlets(7), with the same script: rpmpack knows neither. The
// second is for what goes: a removed kernel calls nobody when its files are gone.
func addFileTriggers(p *rpmpack.RPM, script string, prefixes ...string) {
	senses := []int32{senseTriggerIn, senseTriggerPostun}
	var scripts, programs, names, versions []string
	var index, flags, priorities []int32
	for i, sense := range senses {
		scripts, programs, priorities = append(scripts, script), append(programs, "/bin/sh"), append(priorities, defaultPriority)
		for _, prefix := range prefixes {
			names, versions = append(names, prefix), append(versions, "")
			index, flags = append(index, int32(i)), append(flags, sense)
		}
	}
	p.AddCustomTag(tagTransFileTriggerScripts, rpmpack.EntryStringSlice(scripts))
	p.AddCustomTag(tagTransFileTriggerScriptProg, rpmpack.EntryStringSlice(programs))
	p.AddCustomTag(tagTransFileTriggerName, rpmpack.EntryStringSlice(names))
	p.AddCustomTag(tagTransFileTriggerIndex, rpmpack.EntryInt32(index))
	p.AddCustomTag(tagTransFileTriggerVersion, rpmpack.EntryStringSlice(versions))
	p.AddCustomTag(tagTransFileTriggerFlags, rpmpack.EntryInt32(flags))
	p.AddCustomTag(tagTransFileTriggerPriorities, rpmpack.EntryInt32(priorities))
}

// addLog adds %changelog with one entry, for the version at hand.
func addLog(p *rpmpack.RPM, r release) {
	text := ""
	for _, c := range newest(r.log) {
		text += wrapped(c, "- ", "  ", 80)
	}
	p.AddCustomTag(tagChangelogTime, rpmpack.EntryInt32([]int32{int32(r.time.Unix())}))
	p.AddCustomTag(tagChangelogName, rpmpack.EntryStringSlice([]string{maintainer + " - " + r.version + "-1"}))
	p.AddCustomTag(tagChangelogText, rpmpack.EntryStringSlice([]string{text}))
}
