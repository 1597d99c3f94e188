package write

import (
	"cmp"
	"strings"

	"github.com/google/rpmpack"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// Bits of dependencies, rpmds.h: what a scriptlet needs comes before it.
const (
	sensePosttrans   = 1 << 5
	sensePretrans    = 1 << 7
	senseInterpreter = 1 << 8
	sensePre         = 1 << 9
	sensePost        = 1 << 10
	sensePreun       = 1 << 11
	sensePostun      = 1 << 12
)

// A scriptlet is one of rpm-scriptlets(7).
type scriptlet struct {
	name  string
	sense uint32
	add   func(*rpmpack.RPM, string)
}

var scriptlets = []scriptlet{
	{"pretrans", sensePretrans, (*rpmpack.RPM).AddPretrans},
	{"pre", sensePre, (*rpmpack.RPM).AddPrein},
	{"post", sensePost, (*rpmpack.RPM).AddPostin},
	{"preun", sensePreun, (*rpmpack.RPM).AddPreun},
	{"postun", sensePostun, (*rpmpack.RPM).AddPostun},
	{"posttrans", sensePosttrans, (*rpmpack.RPM).AddPosttrans},
}

func addScriptlets(r *rpmpack.RPM, scripts map[string]string) {
	for _, s := range scriptlets {
		if text, ok := scripts[s.name]; ok {
			s.add(r, text)
		}
	}
}

// senseOf returns the bits of those scripts that a package has.
func senseOf(scripts map[string]string) uint32 {
	var sense uint32
	for _, s := range scriptlets {
		if _, ok := scripts[s.name]; ok {
			sense |= s.sense
		}
	}
	return sense
}

// rpmMeta is what rpmpack knows of a package as a whole.
func rpmMeta(p pkgfmt.Package) (rpmpack.RPMMetaData, error) {
	m := rpmpack.RPMMetaData{
		Name: p.Name, Version: p.Version.Upstream, Release: p.Version.Revision, Arch: p.Arch, Epoch: rpmpack.NoEpoch,
		Summary: p.Summary, Description: filled(cmp.Or(p.Description, p.Summary)), Licence: p.License, URL: p.Homepage, Group: p.Section,
		Packager: p.Maintainer, Vendor: p.Vendor, BuildHost: "localhost", BuildTime: p.Time,
	}
	if p.Version.Epoch > 0 {
		m.Epoch = uint32(p.Version.Epoch)
	}
	if m.Group == "" {
		m.Group = "Unspecified" // rpmbuild's
	}
	for _, list := range []struct {
		to    *rpmpack.Relations
		words []string
	}{
		{&m.Requires, p.Relations.Depends},
		{&m.Provides, p.Relations.Provides},
		{&m.Conflicts, p.Relations.Conflicts},
		{&m.Obsoletes, p.Relations.Replaces},
		{&m.Recommends, p.Relations.Recommends},
		{&m.Suggests, p.Relations.Suggests},
	} {
		var err error
		if *list.to, err = rpmRelations(list.words, 0); err != nil {
			return m, err
		}
	}
	if p.Format != pkgfmt.SourceRPM {
		m.Provides = appendMissing(m.Provides, &rpmpack.Relation{Name: p.Name, Version: versionOf(p.Version), Sense: rpmpack.SenseEqual})
	}
	requires, err := scriptRequires(p)
	m.Requires = append(append(m.Requires, requires...), rpmlib(p)...)
	return m, err
}

// scriptRequires are what the scripts need: the interpreter, and what they
// call.
func scriptRequires(p pkgfmt.Package) (rpmpack.Relations, error) {
	sense := senseOf(p.Scripts)
	out, err := rpmRelations(p.Relations.ForScripts, sense)
	if sense != 0 || len(p.FileTriggers) > 0 {
		sh := rpmpack.Relation{Name: "/bin/sh"}
		addBits(&sh.Sense, sense|senseInterpreter)
		out = append(out, &sh)
	}
	return out, err
}

// rpmlib are the features of rpm that the package makes use of, as rpmbuild
// names them.
func rpmlib(p pkgfmt.Package) rpmpack.Relations {
	var out rpmpack.Relations
	need := func(feature, version string, is bool) {
		if is {
			out = append(out, &rpmpack.Relation{
				Name: "rpmlib(" + feature + ")", Version: version,
				Sense: rpmpack.SenseRPMLIB | rpmpack.SenseLess | rpmpack.SenseEqual,
			})
		}
	}
	words := append(allRelations(p.Relations), versionOf(p.Version))
	need("CaretInVersions", "4.15.0-1", anyContains(words, "^"))
	need("CompressedFileNames", "3.0.4-1", true)
	need("FileDigests", "4.6.0-1", true)
	need("PayloadFilesHavePrefix", "4.0-1", p.Format != pkgfmt.SourceRPM)
	need("PayloadIsXz", "5.2-1", p.Compression.Algorithm == algorithmXz)
	need("PayloadIsZstd", "5.4.18-1", p.Compression.Algorithm == algorithmZstd)
	need("RichDependencies", "4.12.0-1", anyPrefix(words, "("))
	need("TildeInVersions", "4.10.0-1", anyContains(words, "~"))
	return out
}

func anyContains(words []string, s string) bool {
	for _, w := range words {
		if strings.Contains(w, s) {
			return true
		}
	}
	return false
}

func anyPrefix(words []string, s string) bool {
	for _, w := range words {
		if strings.HasPrefix(w, s) {
			return true
		}
	}
	return false
}
