package conf

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestReadFlat(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"":                                   true,
		"# comment with $(x) and `y`\n\nA=y": true,
		"CONFIG_A=y\nCONFIG_B=\"a b\"\nCONFIG_C=0x10\nCONFIG_D=-1\nCONFIG_E=''\n": true,
		"A=$B\n":       false,
		"A=\"$(x)\"\n": false,
		"A=\"`x`\"\n":  false,
		"A=y B=z\n":    false,
		"A=y; rm x\n":  false,
		"A=y # more\n": false,
		"A=(1 2)\n":    false,
		"A=\"a\nb\"\n": false,
		"A=y\r\n":      false,
		"export A=y\n": false,
		"A=\"a\\\"b\"": false,
		"if true\n":    false,
		"A=~/x\nB=*\n": false,
	} {
		if got := readFlat([]byte(text)) != nil; got != want {
			t.Errorf("readFlat(%q) != nil is %v; want %v", text, got, want)
		}
	}
}

// flatText is what readFlat takes, as a pattern.
var flatText = regexp.MustCompile(`\A(?:[ \t]*(?:#[^\n\r\x00]*|[A-Za-z_][A-Za-z0-9_]*=(?:"[^"\x60$\\\n\r\x00]*"|'[^'\n\r\x00]*'|[A-Za-z0-9_.,:/+@%=-]*))?[ \t]*(?:\n|\z))*\z`)

func TestReadFlatLikeItsPattern(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{"A=", "CONFIG_X9=", "y", "\"", "'", "\n", " ", "\t", "#", "$", "`", "\\", "\r", "\x00", "=", "~", "-1.5/x", "(", "é", "9", "\"a b\"", "' $'"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "text"), "")
		if got, want := readFlat([]byte(text)) != nil, flatText.MatchString(text); got != want {
			t.Fatalf("readFlat(%q) != nil is %v; its pattern says %v", text, got, want)
		}
	})
}

// TestSourcesKernelConfig does as v4l2loopback does: it sources a .config as
// long as a distribution's and asks for one symbol.
func TestSourcesKernelConfig(t *testing.T) {
	t.Parallel()
	var config strings.Builder
	config.WriteString("#\n# Automatically generated file; DO NOT EDIT.\n#\n")
	for range 9000 {
		config.WriteString("# CONFIG_SOMETHING_THAT_IS_LONG is not set\n")
	}
	config.WriteString("CONFIG_CC_VERSION_TEXT=\"gcc-12 (Debian 12.2.0-14) 12.2.0\"\nCONFIG_VIDEO_DEV=m\n")
	kernel := sampleKernel
	kernel.Source = t.TempDir()
	if err := os.WriteFile(filepath.Join(kernel.Source, ".config"), []byte(config.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	r := sampleRequest(t, sampleHead+". $kernel_source_dir/.config\n[ \"${CONFIG_VIDEO_DEV:-n}\" = m ] && POST_ADD=found\n")
	start := time.Now()
	c, err := Load(context.Background(), r, kernel)
	if err != nil || c.PostAdd != "found" {
		t.Fatalf("Load: %v; want POST_ADD=found", err)
	}
	t.Logf("took %s", time.Since(start))
}

// TestMentioned has a dkms.conf see all that it may ask for, and no more.
func TestMentioned(t *testing.T) {
	t.Parallel()
	const all = "# CONFIG_NO is not set\nCONFIG_A=y\nCONFIG_AB=m\n CONFIG_C=\"c\"\nOTHER=1\n"
	for _, tt := range []struct{ text, conf, want string }{
		{all, ". x/.config\n", "OTHER=1\n"},
		{all, ". x/.config\n[ $CONFIG_A = y ]\n", "OTHER=1\nCONFIG_A=y\n"},
		{all, "source x/.config; case ${CONFIG_AB:-n}$CONFIG_C in m*) ;; esac", "OTHER=1\nCONFIG_AB=m\nCONFIG_C=\"c\"\n"},
		{all, ". x/.config\necho $CONFIG_A\\\nB\n", "OTHER=1\nCONFIG_AB=m\n"},
		{all, ". x/.config\nn=A; v=CONFIG_$n; echo ${!v}\n", all},
		{all, ". x/.config\nn=A; eval echo \\$CONFIG_$n\n", all},
		{all, ". x/.config\nn=A; [ -v CONFIG_$n ]\n", all},
		{all, "set -a; . x/.config\nenv\n", all},
		{all, ". x/.config\n. y\n", all},
		{all, "x=.; $x x/.config\n", all},
		{all, ". x/.config\n(( CONFIG_$n ))\n", all},
		{all + "CONFIG_D=CONFIG_A\n", ". x/.config\n", all + "CONFIG_D=CONFIG_A\n"},
	} {
		if got := string(readFlat([]byte(tt.text)).mentioned([]byte(tt.conf))); got != tt.want {
			t.Errorf("of %q the file %q sees %q; want %q", tt.text, tt.conf, got, tt.want)
		}
	}
}

// TestSourcesKernelConfigForOverrides: what the dkms.conf does not name, an
// override may.
func TestSourcesKernelConfigForOverrides(t *testing.T) {
	t.Parallel()
	kernel := sampleKernel
	kernel.Source = t.TempDir()
	config := strings.Repeat("# CONFIG_SOMETHING_THAT_IS_LONG is not set\n", 1000) + "CONFIG_VIDEO_DEV=m\n"
	if err := os.WriteFile(filepath.Join(kernel.Source, ".config"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	r := sampleRequest(t, sampleHead+". $kernel_source_dir/.config\n")
	r.EtcDir = t.TempDir()
	if err := os.WriteFile(filepath.Join(r.EtcDir, r.Package.Name+".conf"), []byte("MAKE=$CONFIG_VIDEO_DEV\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(context.Background(), r, kernel); err != nil || c.Values.Get("MAKE") != "m" {
		t.Errorf("MAKE=%s, %v; want m", c.Values.Get("MAKE"), err)
	}
}
