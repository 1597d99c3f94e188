package initramfs

import "testing"

func TestNamesAny(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, module string
		want         bool
	}{
		{"# it87\next4\n", "it87", false},
		{"ext4\nit87 force_id=0x8622\n", "it87", true},
		{"rapiddisk-cache\n", "rapiddisk_cache", true},
		{`add_drivers+=" nvme it87 "` + "\n", "it87", true},
		{`force_drivers+=" it87-old "`, "it87", false},
		{"MODULES=(ext4 it87)", "it87", true},
		{"", "it87", false},
	} {
		if got := namesAny(tt.text, []string{"other", tt.module}); got != tt.want {
			t.Errorf("namesAny(%q, %s) = %t; want %t", tt.text, tt.module, got, tt.want)
		}
	}
}
