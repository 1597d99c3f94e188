package ko

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSymvers(t *testing.T) {
	t.Parallel()
	text := "0x4c9d28b0\tphys_base\tvmlinux\tEXPORT_SYMBOL\t\n" +
		"0x00000000\tbare\tdrivers/a\tEXPORT_SYMBOL_GPL\n" + // before Linux 5.4
		"\n" +
		"0xdeadbeef\tnamed\tdrivers/usb\tEXPORT_SYMBOL_GPL\tUSB_STORAGE\n" +
		"0xdeadbee1\told\tMCB\tdrivers/mcb\tEXPORT_SYMBOL_GPL\n" + // Linux 5.4 to 5.7
		"0x12345678\tthree\tvmlinux"
	got, err := parseSymvers("f", text)
	if err != nil {
		t.Fatal(err)
	}
	want := Symvers{
		"phys_base": {0x4c9d28b0, "vmlinux", "EXPORT_SYMBOL", ""},
		"bare":      {0, "drivers/a", "EXPORT_SYMBOL_GPL", ""},
		"named":     {0xdeadbeef, "drivers/usb", "EXPORT_SYMBOL_GPL", "USB_STORAGE"},
		"old":       {0xdeadbee1, "drivers/mcb", "EXPORT_SYMBOL_GPL", "MCB"},
		"three":     {0x12345678, "vmlinux", "", ""},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("parseSymvers (-want +got):\n%s", d)
	}
}

func TestParseSymversRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"hello\n":                    "f:1: is no line of a Module.symvers",
		"0x1\ta\tb\tc\n0x2\n":        "f:2: is no line of a Module.symvers",
		"\n0xyz\ta\tb\tc\n":          `f:2: "0xyz" is no CRC`,
		"0x123456789\ta\tb\tc\n":     `f:1: "0x123456789" is no CRC`,
		"0x1\t\tvmlinux\tc\n":        "f:1: is no line of a Module.symvers",
		"0x1\ta\tb\tc\td\te\tf\tg\n": "f:1: has more than 5 columns",
		"\x00\x00\x00\t\t\t\t\t\t\t": "f:1: has more than 5 columns",
	}
	for text, want := range tests {
		if _, err := parseSymvers("f", text); errorText(err) != want {
			t.Errorf("parseSymvers(%q) = %v; want %s", text, err, want)
		}
	}
}

func TestReadSymversOfKernel(t *testing.T) {
	t.Parallel()
	path := filepath.Join(headers(genericRelease), "Module.symvers")
	text, err := os.ReadFile(path)
	if err != nil {
		lacks(t, path)
	}
	got, err := ReadSymvers(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Count(string(text), "\n"); len(got) != want {
		t.Errorf("ReadSymvers: %d symbols; want %d", len(got), want)
	}
	if got["_printk"].Module != "vmlinux" || got["_printk"].CRC == 0 {
		t.Errorf("ReadSymvers: _printk = %+v", got["_printk"])
	}
	if _, err := ReadSymvers(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadSymvers of nothing = %v; want fs.ErrNotExist", err)
	}
}

func BenchmarkReadSymvers(b *testing.B) {
	path := filepath.Join(headers(genericRelease), "Module.symvers")
	if _, err := os.Stat(path); err != nil {
		lacks(b, path)
	}
	for b.Loop() {
		if _, err := ReadSymvers(path); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParseSymvers(f *testing.F) {
	f.Add("0x4c9d28b0\tphys_base\tvmlinux\tEXPORT_SYMBOL\t\n")
	f.Add("0x1\ta\tNS\tm\tEXPORT_SYMBOL_GPL\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseSymvers("f", text)
		if err == nil && len(got) > strings.Count(text, "\n")+1 {
			t.Errorf("more symbols than lines: %q", text)
		}
	})
}
