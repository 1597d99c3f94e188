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

func TestIsFlat(t *testing.T) {
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
		if got := isFlat([]byte(text)); got != want {
			t.Errorf("isFlat(%q) = %v; want %v", text, got, want)
		}
	}
}

// flatText is isFlat, as a pattern.
var flatText = regexp.MustCompile(`\A(?:[ \t]*(?:#[^\n\r\x00]*|[A-Za-z_][A-Za-z0-9_]*=(?:"[^"\x60$\\\n\r\x00]*"|'[^'\n\r\x00]*'|[A-Za-z0-9_.,:/+@%=-]*))?[ \t]*(?:\n|\z))*\z`)

func TestIsFlatLikeItsPattern(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{"A=", "CONFIG_X9=", "y", "\"", "'", "\n", " ", "\t", "#", "$", "`", "\\", "\r", "\x00", "=", "~", "-1.5/x", "(", "é", "9", "\"a b\"", "' $'"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "text"), "")
		if got, want := isFlat([]byte(text)), flatText.MatchString(text); got != want {
			t.Fatalf("isFlat(%q) = %v; its pattern says %v", text, got, want)
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
