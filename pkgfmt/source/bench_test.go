package source

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkRead reads a tree of 30 MiB in 600 files.
func BenchmarkRead(b *testing.B) {
	dir := plant(b, plain)
	body := "// SPDX-License-Identifier: GPL-2.0\n#include <linux/module.h>\n#define VERSION \"1.0\"\nMODULE_DESCRIPTION(\"Foo\");\n" +
		strings.Repeat("static int f(int a, int b)\n{\n\treturn a / b; /* of course */\n}\n", 50<<10/63)
	for i := range 600 {
		write(b, filepath.Join(dir, fmt.Sprintf("d%d/f%d.c", i%20, i)), body, 0o644)
	}
	b.SetBytes(int64(600 * len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(context.Background(), dir, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
