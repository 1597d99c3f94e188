package write

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// A refusal is a change to the sample that makes it what its format cannot
// hold, and what the error must tell.
type refusal struct {
	change func(*pkgfmt.Package)
	want   string
}

// only sets the files of a package.
func only(f ...pkgfmt.File) func(*pkgfmt.Package) {
	return func(p *pkgfmt.Package) { p.Files = f }
}

func at(path string) pkgfmt.File { return pkgfmt.File{Path: path, Mode: 0o644} }

// both are refused in either format.
var both = []refusal{
	{func(p *pkgfmt.Package) { p.Name = "" }, `package name ""`},
	{func(p *pkgfmt.Package) { p.Name = "foo bar" }, `package name "foo bar"`},
	{func(p *pkgfmt.Package) { p.Name = "foo/../bar" }, `package name "foo/../bar"`},
	{func(p *pkgfmt.Package) { p.Name = "-foo" }, `package name "-foo"`},
	{func(p *pkgfmt.Package) { p.Name = strings.Repeat("a", 300) }, "package name"},
	{func(p *pkgfmt.Package) { p.Version.Upstream = "" }, `version ""`},
	{func(p *pkgfmt.Package) { p.Version.Upstream = "1:2" }, `version "1:2"`},
	{func(p *pkgfmt.Package) { p.Version.Upstream = "1 0" }, `version "1 0"`},
	{func(p *pkgfmt.Package) { p.Version.Upstream = "1/0" }, `version "1/0"`},
	{func(p *pkgfmt.Package) { p.Version.Revision = "1-1" }, `revision "1-1"`},
	{func(p *pkgfmt.Package) { p.Version.Epoch = -1 }, "epoch -1"},
	{func(p *pkgfmt.Package) { p.Arch = "" }, `architecture ""`},
	{func(p *pkgfmt.Package) { p.Arch = "x86 64" }, `architecture "x86 64"`},
	{func(p *pkgfmt.Package) { p.Time = time.Time{} }, "time of the package"},
	{func(p *pkgfmt.Package) { p.Summary = " " }, "summary: is missing"},
	{func(p *pkgfmt.Package) { p.Summary = "a\nPackage: b" }, "summary"},
	{func(p *pkgfmt.Package) { p.Summary = "a\xff" }, "summary"},
	{func(p *pkgfmt.Package) { p.Homepage = "http://a\nEssential: yes" }, "homepage"},
	{func(p *pkgfmt.Package) { p.Maintainer = "A <a@b>\r" }, "maintainer"},
	{func(p *pkgfmt.Package) { p.Section = "a\nb" }, "section"},
	{func(p *pkgfmt.Package) { p.License = "a\nb" }, "license"},
	{func(p *pkgfmt.Package) { p.Description = "a\x00" }, "description"},
	{func(p *pkgfmt.Package) { p.Changes[0].Author = "a\n -- b" }, "author of a change"},
	{func(p *pkgfmt.Package) { p.Changes[0].Lines = []string{"a\x1b[2J"} }, "change"},
	{func(p *pkgfmt.Package) { p.Changes[0].Time = time.Time{} }, "time of a change"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"a\nb"} }, "relation a"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{""} }, "relation"},
	{func(p *pkgfmt.Package) { p.Relations.Provides = []string{"a b c"} }, "relation a b c"},
	{func(p *pkgfmt.Package) { p.Scripts = map[string]string{"install": "#!/bin/sh\ntrue"} }, "script install"},
	{func(p *pkgfmt.Package) { p.Compression.Algorithm = "rar" }, `compression "rar"`},
	{func(p *pkgfmt.Package) { p.Compression = pkgfmt.Compression{Algorithm: "gzip", Level: 10} }, "level 10 of gzip"},
	{func(p *pkgfmt.Package) { p.Compression = pkgfmt.Compression{Algorithm: "xz", Level: -1} }, "level -1 of xz"},
	{only(at("")), "is no absolute path"},
	{only(at("/")), "is no absolute path"},
	{only(at("usr/src")), "usr/src: is no absolute path"},
	{only(at("/usr/../etc/passwd")), "/usr/../etc/passwd: is not clean"},
	{only(at("/usr//src")), "/usr//src: is not clean"},
	{only(at("/usr/src/")), "/usr/src/: is not clean"},
	{only(at("/usr/a\nb")), "/usr/a?b: has control characters"},
	{only(at("/usr/a\xff")), "/usr/a?: has control characters"},
	{only(at("/" + strings.Repeat("a", 256))), "too long"},
	{only(at("/" + strings.Repeat("a/", 2100) + "a")), "too long"},
	{only(at("/a"), at("/b"), at("/a")), "/a: is there twice"},
	{only(at("/a"), at("/a/b")), "/a/b: is below /a"},
	{only(pkgfmt.File{Path: "/a", Kind: pkgfmt.Link, Target: "b"}, at("/a/b/c")), "/a/b/c: is below /a"},
	{only(pkgfmt.File{Path: "/a", Mode: 0o644 | fs.ModeSetuid}), "/a: is setuid"},
	{only(pkgfmt.File{Path: "/a", Mode: 0o4755}), "/a: is setuid"},
	{only(pkgfmt.File{Path: "/a", Kind: pkgfmt.Directory, Mode: 0o755 | fs.ModeSticky}), "/a: is setuid"},
	{only(pkgfmt.File{Path: "/a", Mode: 0o644 | fs.ModeDevice}), "/a: has more than permissions"},
	{only(pkgfmt.File{Path: "/a", Kind: 99}), "/a: is of an unknown kind"},
	{only(pkgfmt.File{Path: "/a", Kind: pkgfmt.Link}), "/a: points to nothing"},
	{only(pkgfmt.File{Path: "/a", Kind: pkgfmt.Link, Target: "b\n"}), "/a: points to nothing"},
	{only(pkgfmt.File{Path: "/a", Target: "b"}), "/a: is no link"},
	{only(pkgfmt.File{Path: "/a", Size: -1, Source: "/dev/null"}), "/a: has a negative size"},
	{only(pkgfmt.File{Path: "/a", Size: 4 << 30, Source: "/nowhere"}), "more than"},
}

var onlyDeb = []refusal{
	{func(p *pkgfmt.Package) { p.Name = "Foo" }, `package name "Foo"`},
	{func(p *pkgfmt.Package) { p.Name = "foo_bar" }, `package name "foo_bar"`},
	{func(p *pkgfmt.Package) { p.Name = "f" }, `package name "f"`},
	{func(p *pkgfmt.Package) { p.Version.Upstream = "v1" }, `version "v1"`},
	{func(p *pkgfmt.Package) { p.Version = pkgfmt.Version{Upstream: "1-rc1"} }, "has a -, but no revision"},
	{func(p *pkgfmt.Package) { p.Arch = "noarch" }, `architecture "noarch"`},
	{func(p *pkgfmt.Package) { p.Arch = "x86_64" }, `architecture "x86_64"`},
	{func(p *pkgfmt.Package) { p.Maintainer = "" }, "maintainer: is missing"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"aa >= 1"} }, "relation aa >= 1"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"aa (> 1)"} }, "relation aa (> 1)"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"aa (>= 1 2)"} }, "relation aa (>= 1 2)"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"aa (>= 1"} }, "relation aa (>= 1"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"A"} }, "relation A"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"aa, bb"} }, "relation aa, bb"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"aa [amd64]"} }, "relation aa [amd64]"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"aa <!nocheck>"} }, "relation aa <!nocheck>"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"${misc:Depends}"} }, "relation ${misc:Depends}"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"aa |"} }, "relation aa |"},
	{func(p *pkgfmt.Package) { p.Relations.Provides = []string{"aa | bb"} }, "cannot be provided"},
	{func(p *pkgfmt.Package) { p.Relations.Provides = []string{"aa (>= 1)"} }, "cannot be provided"},
	{func(p *pkgfmt.Package) { p.Relations.Supplements = []string{"aa"} }, "supplements: is RPM's"},
	{func(p *pkgfmt.Package) { p.Relations.ForScripts = []string{"aa"} }, "forscripts: is RPM's"},
	{func(p *pkgfmt.Package) { p.Fields = map[string]string{"Depends": "a"} }, `field "Depends": is told`},
	{func(p *pkgfmt.Package) { p.Fields = map[string]string{"priority": "a"} }, `field "priority": is told`},
	{func(p *pkgfmt.Package) { p.Fields = map[string]string{"a:b": "a"} }, `field "a:b": is no name`},
	{func(p *pkgfmt.Package) { p.Fields = map[string]string{"Tag": "a", "tag": "b"} }, `field "tag": is there twice`},
	{func(p *pkgfmt.Package) { p.Fields = map[string]string{"Tag": "a\nEssential: yes"} }, `field "Tag"`},
	{func(p *pkgfmt.Package) { p.Fields = map[string]string{"Pre-Depends": "aa >= 1"} }, "relation aa >= 1"},
	{func(p *pkgfmt.Package) { p.Scripts = map[string]string{"postinst": "true"} }, "script postinst: does not begin"},
	{func(p *pkgfmt.Package) { p.Scripts = map[string]string{"post": "#!/bin/sh"} }, "script post: is none"},
	{only(pkgfmt.File{Path: "/etc/a ", Kind: pkgfmt.Config, Mode: 0o644}), "/etc/a : ends in a space"},
	{func(p *pkgfmt.Package) { p.Triggers = []string{"watch /a"} }, `trigger "watch /a"`},
	{func(p *pkgfmt.Package) { p.Triggers = []string{"interest /a\ninterest /b"} }, "trigger"},
	{func(p *pkgfmt.Package) {
		p.FileTriggers = []pkgfmt.FileTrigger{{Prefixes: []string{"/a"}, Script: "true"}}
	}, "file triggers: are RPM's"},
}

var onlyRPM = []refusal{
	{func(p *pkgfmt.Package) { p.Version.Upstream = "1-2" }, `version "1-2"`},
	{func(p *pkgfmt.Package) { p.Version.Revision = "" }, `revision ""`},
	{func(p *pkgfmt.Package) { p.Arch = "all" }, `architecture "all"`},
	{func(p *pkgfmt.Package) { p.Arch = "amd64" }, `architecture "amd64"`},
	{func(p *pkgfmt.Package) { p.Relations.Breaks = []string{"a"} }, "breaks: is Debian's"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"a (>= 1)"} }, "relation a (>= 1)"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"a >> 1"} }, "relation a >> 1"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"a >="} }, "relation a >="},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"a>=1"} }, "relation a>=1"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"(a or b"} }, "relation (a or b"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"(a or b) c"} }, "relation (a or b) c"},
	{func(p *pkgfmt.Package) { p.Relations.Depends = []string{"()"} }, "relation ()"},
	{func(p *pkgfmt.Package) { p.Relations.Supplements = []string{"a b"} }, "relation a b"},
	{func(p *pkgfmt.Package) { p.Relations.ForScripts = []string{"a b"} }, "relation a b"},
	{func(p *pkgfmt.Package) { p.Fields = map[string]string{"Tag": "a"} }, `field "Tag": is Debian's`},
	{func(p *pkgfmt.Package) { p.Scripts = map[string]string{"postinst": "#!/bin/sh"} }, "script postinst: is none"},
	{func(p *pkgfmt.Package) { p.Scripts = map[string]string{"post": " "} }, "script post: is empty"},
	{func(p *pkgfmt.Package) { p.Scripts = map[string]string{"post": "a\x00b"} }, "script post: has a zero byte"},
	{func(p *pkgfmt.Package) { p.Triggers = []string{"interest a"} }, "triggers: are Debian's"},
	{func(p *pkgfmt.Package) {
		p.FileTriggers = []pkgfmt.FileTrigger{{Prefixes: []string{"a"}, Script: "true"}}
	}, `file trigger "a"`},
	{func(p *pkgfmt.Package) { p.FileTriggers = []pkgfmt.FileTrigger{{Script: "true"}} }, "file trigger: has no"},
	{func(p *pkgfmt.Package) {
		p.FileTriggers = []pkgfmt.FileTrigger{{On: 7, Prefixes: []string{"/a"}, Script: "true"}}
	}, "file trigger: has no"},
}

// TestRefuses: what a format cannot hold is an error of a usage that names the
// object, and nothing is written.
func TestRefuses(t *testing.T) {
	t.Parallel()
	for format, list := range map[pkgfmt.Format][][]refusal{pkgfmt.Deb: {both, onlyDeb}, pkgfmt.RPM: {both, onlyRPM}} {
		for _, refusals := range list {
			for _, tt := range refusals {
				p := sample(format)
				tt.change(&p)
				var b bytes.Buffer
				err := To(p, &b)
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s: To = %v; want %s", format, err, tt.want)
				}
				var e *dkms.Error
				if !errors.As(err, &e) || e.Kind != dkms.Usage {
					t.Errorf("%s: %v is no error of usage", format, err)
				}
				dir := t.TempDir()
				if _, err := Package(t.Context(), p, Options{Dir: dir}); err == nil {
					t.Errorf("%s: Package wrote what To refused: %s", format, tt.want)
				}
				if left, _ := os.ReadDir(dir); b.Len() > 0 || len(left) > 0 {
					t.Errorf("%s: %s: wrote %d bytes and %v", format, tt.want, b.Len(), left)
				}
			}
		}
	}
}

func TestRefusesSource(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*pkgfmt.Package){
		"has 0 spec files":     func(p *pkgfmt.Package) { p.Files = p.Files[:3] },
		"has 2 spec files":     func(p *pkgfmt.Package) { p.Files = append(p.Files, at("/b.spec")) },
		"is there twice":       func(p *pkgfmt.Package) { p.Files = append(p.Files, at("/other/foo.txt")) },
		"is no regular file":   func(p *pkgfmt.Package) { p.Files[0].Kind = pkgfmt.Directory },
		"script post: is none": func(p *pkgfmt.Package) { p.Scripts = map[string]string{"post": "true"} },
	} {
		p := sourceSample(t)
		change(&p)
		if err := To(p, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("To = %v; want %s", err, want)
		}
	}
	if err := To(pkgfmt.Package{Format: "apk"}, &bytes.Buffer{}); err == nil {
		t.Error("To wrote an apk")
	}
}

// TestTells: all that is wrong is told at once, but not without end.
func TestTells(t *testing.T) {
	t.Parallel()
	p := sample(pkgfmt.Deb)
	p.Name, p.Summary = "A", ""
	err := To(p, &bytes.Buffer{})
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("To = %v; want two problems", err)
	}
	p.Files = nil
	for i := range 1000 {
		p.Files = append(p.Files, at(fmt.Sprintf("%d", i)))
	}
	if err := To(p, &bytes.Buffer{}); err == nil || len(lines(err.Error())) != tooMany+1 || !strings.Contains(err.Error(), "and 982 more") {
		t.Errorf("To = %v", err)
	}
}

// TestAccepts are relations that must pass.
func TestAccepts(t *testing.T) {
	t.Parallel()
	for format, words := range map[pkgfmt.Format][]string{
		pkgfmt.Deb: {
			"a0", "linux-image-6.1.0-1-amd64 (= 6.1.4-1)", "python3:any (>= 3.9~)", "gcc:amd64", "aa | bb (<< 1:2-3+b1) | cc",
		},
		pkgfmt.RPM: {
			"kernel-uname-r = 6.1.0-1.fc38.x86_64", "kernel(__fentry__) = 0xbdfb6dbb", "ksym(foo) = 0x0", "kmod(foo.ko)", "kmod(foo.ko) = 1.0",
			"modalias(of:N*T*Cfoo,bar)", "modalias(usb:v1234p[5-7]*d*dc*)", "firmware(foo/bar.bin)", "/usr/sbin/depmod", "config(foo) = 1:2-3",
			"libfoo.so.1()(64bit)", "perl(Foo::Bar) >= 1.0", "(kernel-devel-matched if kernel-core)", "((a and b) or c)", "a = 1:2^git-3~x", "pkgconfig(x)", "a-b_c+d.e",
		},
	} {
		for _, word := range words {
			p := sample(format)
			p.Relations.Depends = []string{word}
			if err := To(p, &bytes.Buffer{}); err != nil {
				t.Errorf("%s: %q: %v", format, word, err)
			}
		}
	}
}
