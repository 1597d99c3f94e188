package conf

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
