package kmod

import "testing"

func TestFlavour(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ release, want string }{
		{"6.1.0-56-amd64", "amd64"},
		{"6.1.0-56-cloud-amd64", "cloud-amd64"},
		{"6.12.107+deb13-rt-amd64", "rt-amd64"},
		{"6.13-rc3-amd64", "amd64"},
		{"6.8.0-40-generic", "generic"},
		{"5.14.0-70.13.1.el9_0.x86_64", ""},
		{"5.14.0-70.el9.x86_64+rt", "rt"},
		{"3.10.0-1160.el7.x86_64.debug", "debug"},
		{"6.4.0-150600.21-default", "default"},
		{"6.9.1", ""},
		{"6.9.1-", ""},
		{"", ""},
	} {
		if got := flavour(tt.release, "x86_64"); got != tt.want {
			t.Errorf("flavour(%q) = %q; want %q", tt.release, got, tt.want)
		}
	}
}

func TestLeads(t *testing.T) {
	t.Parallel()
	var built []Built
	for _, r := range []string{"6.1.0-9-amd64", "6.1.0-10-cloud-amd64", "6.1.0-10-amd64", "6.1.0-9-cloud-amd64", "6.9.1"} {
		built = append(built, builtFor(r, true))
	}
	want := []struct{ suffix, release string }{{"", "6.1.0-10-amd64"}, {"-cloud-amd64", "6.1.0-10-cloud-amd64"}, {"-plain", "6.9.1"}}
	got := leads(built)
	if len(got) != len(want) {
		t.Fatalf("%d leads; want %d", len(got), len(want))
	}
	for i, w := range want {
		if got[i].suffix != w.suffix || got[i].built.Kernel.Release != w.release {
			t.Errorf("leads[%d] = %q, %s; want %q, %s", i, got[i].suffix, got[i].built.Kernel.Release, w.suffix, w.release)
		}
	}
}
