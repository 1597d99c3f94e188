package machine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDistribution(t *testing.T) {
	for _, tt := range []struct{ text, want, dir string }{
		{"ID=debian\n", "debian", "/updates/dkms"},
		{"ID=ubuntu\nID_LIKE=debian\n", "ubuntu", "/updates/dkms"},
		{"ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "ubuntu", "/updates/dkms"},
		{"ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "rhel", "/extra"},
		{"ID=fedora\n", "fedora", "/extra"},
		{"ID=opensuse-leap\nID_LIKE='suse opensuse'\n", "suse", "/updates"},
		{"ID=gentoo\n", "gentoo", "/kernel/net"},
		{"NAME=odd\n", "", "/kernel/net"},
	} {
		path := filepath.Join(t.TempDir(), "os-release")
		if err := os.WriteFile(path, []byte(tt.text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := distributionOf(path)
		if err != nil || got != tt.want {
			t.Errorf("distributionOf(%q) = %q, %v; want %q", tt.text, got, err, tt.want)
		}
		if dir := moduleDir(got, "/kernel/net"); dir != tt.dir {
			t.Errorf("moduleDir(%q) = %q; want %q", got, dir, tt.dir)
		}
	}
	if _, err := distributionOf(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("distributionOf without a file gave no error")
	}
}
