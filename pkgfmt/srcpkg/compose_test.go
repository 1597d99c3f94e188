package srcpkg

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

func TestIdentity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, version, release string
		epoch                  int
		deb, debVersion        string
		rpm, rpmVersion        string
		kmod                   string
	}{
		{"foo", "1.0", "", 0, "foo-dkms", "1.0", "foo-dkms", "1.0-1", "foo-kmod = 1.0"},
		{"foo-dkms", "1.0", "3", 0, "foo-dkms", "1.0-3", "foo-dkms", "1.0-3", "foo-kmod = 1.0"},
		{"Foo_Bar", "v1.0", "2", 0, "foo-bar-dkms", "1.0-2", "Foo_Bar-dkms", "1.0-2", "Foo_Bar-kmod = 1.0"},
		{"foo", "1.0-rc1", "", 2, "foo-dkms", "2:1.0~rc1", "foo-dkms", "2:1.0~rc1-1", "foo-kmod = 2:1.0~rc1"},
	} {
		d := sample()
		d.Name, d.UpstreamVersion, d.Release, d.Epoch = c.name, c.version, c.release, c.epoch
		deb, rpm := composed(t, d, pkgfmt.Deb), composed(t, d, pkgfmt.RPM)
		if deb.Name != c.deb || deb.Version.String() != c.debVersion {
			t.Errorf("Compose(%s %s, deb) = %s %s; want %s %s", c.name, c.version, deb.Name, deb.Version, c.deb, c.debVersion)
		}
		if rpm.Name != c.rpm || rpm.Version.String() != c.rpmVersion || rpm.Relations.Provides[0] != c.kmod {
			t.Errorf("Compose(%s %s, rpm) = %s %s, provides %s; want %s %s, %s", c.name, c.version, rpm.Name, rpm.Version, rpm.Relations.Provides, c.rpm, c.rpmVersion, c.kmod)
		}
		for _, p := range []pkgfmt.Package{deb, rpm} {
			if !slices.ContainsFunc(p.Files, func(f pkgfmt.File) bool { return f.Path == "/usr/src/v4l2_Loopback-v0.12+a/dkms.conf" }) {
				t.Errorf("%s: the source is not where its dkms.conf says", p.Name)
			}
		}
	}
}

func TestEngineLevel(t *testing.T) {
	t.Parallel()
	for directive, want := range map[string]string{
		"AUTOINSTALL": "2.1.0.0", "BUILD_EXCLUSIVE_KERNEL": "2.1.0.0", "BUILD_EXCLUSIVE_ARCH": "2.1.0.0",
		"BUILD_EXCLUSIVE_CONFIG": "3.0.11", "BUILD_EXCLUSIVE_KERNEL_MIN": "3.0.11", "BUILD_EXCLUSIVE_KERNEL_MAX": "3.0.11",
	} {
		d := sample()
		d.Uses = map[string]bool{directive: true, "MAKE": true}
		if got, want := composed(t, d, pkgfmt.Deb).Relations.Depends[0], "dkms-hook | dkms (>= "+want+")"; got != want {
			t.Errorf("with %s, a .deb depends on %q; want %q", directive, got, want)
		}
		r := composed(t, d, pkgfmt.RPM).Relations
		if want := "(dkms-hook or dkms >= " + want + ")"; r.Depends[0] != want || r.ForScripts[0] != want {
			t.Errorf("with %s, an .rpm requires %q, for scripts %q; want %q", directive, r.Depends, r.ForScripts, want)
		}
	}
}

func TestRelationsOfSource(t *testing.T) {
	t.Parallel()
	d := sample()
	d.Relations = map[pkgfmt.Format]pkgfmt.Relations{
		pkgfmt.Deb: {
			Depends: []string{"libelf-dev"}, Recommends: []string{"linux-headers-generic | linux-headers", "mokutil"}, Suggests: []string{"a"},
			Conflicts: []string{"b"}, Breaks: []string{"c (<< 2)"}, Replaces: []string{"c (<< 2)"}, Provides: []string{"d"}, Enhances: []string{"e"},
		},
		pkgfmt.RPM: {Supplements: []string{"modalias(usb:v1)"}, ForScripts: []string{"coreutils"}},
	}
	want := pkgfmt.Relations{
		Depends: []string{"dkms-hook | dkms (>= 2.1.0.0)", "libelf-dev"}, Recommends: []string{"linux-headers-generic | linux-headers", "mokutil"}, Suggests: []string{"a"},
		Conflicts: []string{"b"}, Breaks: []string{"c (<< 2)"}, Replaces: []string{"c (<< 2)"}, Provides: []string{"v4l2-loopback-modules (= 0.12+a)", "d"}, Enhances: []string{"e"},
	}
	if diff := cmp.Diff(want, composed(t, d, pkgfmt.Deb).Relations); diff != "" {
		t.Errorf("deb (-want +got):\n%s", diff)
	}
	r := composed(t, d, pkgfmt.RPM).Relations
	if !slices.Equal(r.Supplements, []string{"modalias(usb:v1)"}) || !slices.Equal(r.ForScripts, []string{"(dkms-hook or dkms >= 2.1.0.0)", "coreutils"}) {
		t.Errorf("rpm: %+v", r)
	}
}

// TestModes: what a package's files are allowed to do does not depend on who has
// checked the source out.
func TestModes(t *testing.T) {
	t.Parallel()
	loose, tight := sample(), sample()
	for i := range loose.Files {
		program := loose.Files[i].Mode&0o100 != 0
		loose.Files[i].Mode, tight.Files[i].Mode = 0o666, 0o600
		if program {
			loose.Files[i].Mode, tight.Files[i].Mode = 0o777|fs.ModeSetuid, 0o700
		}
	}
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		if diff := cmp.Diff(composed(t, loose, f), composed(t, tight, f)); diff != "" {
			t.Errorf("%s (-loose +tight):\n%s", f, diff)
		}
	}
}

// TestExtra: a file may be for one format only, and what lies in /etc is the
// administrator's.
func TestExtra(t *testing.T) {
	t.Parallel()
	d := sample()
	d.Extra = append(d.Extra, pkgfmt.File{Path: "/usr/share/initramfs-tools/hooks/foo", Mode: 0o755}, pkgfmt.File{Path: "/usr/lib/modprobe.d/foo.conf", Mode: 0o600})
	d.ExtraFormats = map[string]pkgfmt.Format{"/usr/share/initramfs-tools/hooks/foo": pkgfmt.Deb}
	for f, want := range map[pkgfmt.Format]string{
		pkgfmt.Deb: "/etc/modprobe.d/v4l2loopback.conf 1 -rw-r--r--, /usr/lib/modprobe.d/foo.conf 0 -rw-r--r--, /usr/share/initramfs-tools/hooks/foo 0 -rwxr-xr-x",
		pkgfmt.RPM: "/etc/modprobe.d/v4l2loopback.conf 1 -rw-r--r--, /usr/lib/modprobe.d/foo.conf 0 -rw-r--r--",
	} {
		var got []string
		for _, file := range composed(t, d, f).Files {
			if !strings.HasPrefix(file.Path, "/usr/src/") && !strings.Contains(file.Path, "/v4l2-loopback-dkms/") && !strings.Contains(file.Path, "/v4l2_Loopback-dkms/") {
				got = append(got, fmt.Sprint(file.Path, " ", int(file.Kind), " ", file.Mode))
			}
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s has %s; want %s", f, s, want)
		}
	}
}

func TestFilesSorted(t *testing.T) {
	t.Parallel()
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		files := composed(t, sample(), f).Files
		if !slices.IsSortedFunc(files, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) }) {
			t.Errorf("%s: the files are not sorted", f)
		}
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	const own = "Source of v4l2_Loopback v0.12+a for DKMS."
	entry := func(epoch int, upstream, revision string) pkgfmt.Change {
		return pkgfmt.Change{Version: pkgfmt.Version{Epoch: epoch, Upstream: upstream, Revision: revision}, Time: time.Unix(1, 0), Author: "B", Lines: []string{"Theirs."}}
	}
	for _, c := range []struct {
		what    string
		release string
		changes []pkgfmt.Change
		want    []string // version and first line, for a .deb
	}{
		{"none", "", nil, []string{"0.12+a " + own}},
		{"older", "", []pkgfmt.Change{entry(0, "0.11-rc1", "")}, []string{"0.12+a " + own, "0.11~rc1 Theirs."}},
		{"this", "", []pkgfmt.Change{entry(0, "0.12+a", "")}, []string{"0.12+a Theirs."}},
		{"this, as upstream writes it", "", []pkgfmt.Change{entry(0, "v0.12a", "")}, []string{"0.12+a Theirs."}},
		{"this, packaged by somebody", "", []pkgfmt.Change{entry(0, "0.12+a", "7")}, []string{"0.12+a Theirs."}},
		{"this, of no release", "2", []pkgfmt.Change{entry(0, "0.12+a", "")}, []string{"0.12+a-2 Theirs."}},
		{"the release before", "2", []pkgfmt.Change{entry(0, "0.12+a", "1")}, []string{"0.12+a-2 " + own, "0.12+a-1 Theirs."}},
		{"another epoch", "", []pkgfmt.Change{entry(1, "0.12+a", "")}, []string{"0.12+a " + own, "1:0.12+a Theirs."}},
		{"no version", "", []pkgfmt.Change{entry(0, "UNRELEASED", ""), entry(0, "0.12+a", "")}, []string{"0.12+a Theirs."}},
	} {
		d := sample()
		d.Release, d.Changes = c.release, c.changes
		before := slices.Clone(c.changes)
		var got []string
		for _, change := range composed(t, d, pkgfmt.Deb).Changes {
			got = append(got, change.Version.String()+" "+change.Lines[0])
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: changes (-want +got):\n%s", c.what, diff)
		}
		if rpm := composed(t, d, pkgfmt.RPM).Changes; len(rpm) != len(c.want) || rpm[0].Version.Revision != or(c.release, "1") {
			t.Errorf("%s: changes of an RPM: %+v", c.what, rpm)
		}
		if !cmp.Equal(before, d.Changes) {
			t.Errorf("%s: the description has changed", c.what)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what   string
		format pkgfmt.Format
		change func(*source.Description)
		kind   dkms.Kind
		want   string
	}{
		{"format", pkgfmt.SourceRPM, func(*source.Description) {}, dkms.Usage, "src.rpm: is no format of packages of module sources"},
		{"module name", pkgfmt.Deb, func(d *source.Description) { d.DKMS.Name = "a b" }, dkms.Incomplete, `module name "a b": `},
		{"module version", pkgfmt.RPM, func(d *source.Description) { d.DKMS.Version = "../1" }, dkms.Incomplete, `module version "../1": `},
		{"quote", pkgfmt.RPM, func(d *source.Description) { d.DKMS.Version = "1'; reboot '" }, dkms.Incomplete, `module version "1'; reboot '": `},
		{"name", pkgfmt.Deb, func(d *source.Description) { d.Name = "!" }, dkms.Usage, ""},
		{"version", pkgfmt.RPM, func(d *source.Description) { d.UpstreamVersion = "a b" }, dkms.Usage, ""},
		{"same path", pkgfmt.Deb, func(d *source.Description) {
			d.Extra = []pkgfmt.File{{Path: "/usr/src/v4l2_Loopback-v0.12+a/Makefile"}}
		}, dkms.Usage, "/usr/src/v4l2_Loopback-v0.12+a/Makefile: is in the package twice"},
	} {
		d := sample()
		c.change(d)
		p, err := Compose(d, c.format)
		var e *dkms.Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: Compose = %v; want %s of kind %d", c.what, err, c.want, c.kind)
		}
		if !cmp.Equal(p, pkgfmt.Package{}) {
			t.Errorf("%s: there is a package beside the error: %s", c.what, p.Name)
		}
	}
}
