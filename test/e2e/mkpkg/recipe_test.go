//go:build e2e

package mkpkg

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/test/e2e/box"
)

// odd is a source in which there is all that a spec file, a Makefile or a shell
// would read as something else, and a package's further files.
var odd = real{"odd-sample", "odd_sample", "odd_sample", "1.2-rc1", []string{"odd_sample"}}

var oddTree = map[string]string{
	"dkms.conf": `PACKAGE_NAME="odd_sample"
PACKAGE_VERSION="1.2-rc1"
BUILT_MODULE_NAME[0]="odd_sample"
DEST_MODULE_LOCATION[0]="/updates"
AUTOINSTALL="yes"
`,
	"Makefile": "obj-m := odd_sample.o\n",
	"odd_sample.c": `// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2024 Ann <ann@example.org>
#include <linux/module.h>
MODULE_DESCRIPTION("100% of $HOME, %{name} and ` + "`id`" + `");
MODULE_AUTHOR("Ann <ann@example.org>");
MODULE_LICENSE("GPL");
MODULE_INFO(edition, "first");
`,
	"README.md":              "An odd sample.\n",
	"with space/100% $A.txt": "%{name} $A ${B} %%\n",
	"tools/-odd ctl":         "#!/bin/sh\necho '100%' \"$1\"\n",
	"data/a b%c$d.conf":      "# 'it' is $HOME %{name} `id` \\n\n",
	"data/default":           "ODD=%d\n",
	"data/blob.bin":          "\x00%{blob}\xff",
	"pack/odd-e2e.conf":      "options odd_sample a=$b\n",
	"pack/60-odd-e2e.rules":  "KERNEL==\"odd*\", ENV{ODD}=\"$env{ODD}%k\"\n",
	"pack/after":             "echo \"100% ${1%%e*}\" >>/var/log/odd\n",
	"notes/of ours.txt":      "Not for a package.\n",
	"dkms-mkpkg.yaml": `maintainer: Ann <ann@example.org>
summary: 100% odd, of $HOME and %{name}
homepage: https://example.org/odd
ignore: [notes, data/blob.bin]
modprobe: [pack/odd-e2e.conf]
udev: [pack/60-odd-e2e.rules]
firmware: [data/blob.bin]
files:
  - {source: "data/a b%c$d.conf", path: "/usr/share/odd sample/a b%c$d.conf"}
  - {source: data/default, path: /etc/default/odd_sample, config: true}
  - {source: tools/-odd ctl, path: /usr/lib/odd-sample/ctl, mode: "0755"}
scripts:
  deb: {postinst: pack/after, prerm: pack/after}
  rpm: {post: pack/after, preun: pack/after}
`,
}

// recipeSources are those whose recipes are tried.
func recipeSources() []real { return append(reals(), odd) }

// recipeTree writes the first edition of a source into dir.
func (r real) recipeTree(tb testing.TB, dir string) {
	tb.Helper()
	if r.name != odd.name {
		r.write(tb, first, dir)
		return
	}
	for path, text := range oddTree {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

// recipeForge is a forge in which dpkg-buildpackage or rpmbuild works.
func recipeForge(tb testing.TB, b *box.Box) forge {
	b.Must("install", "-d", "-o", "65534", "/forge")
	return forge{b, tb}
}

// bring puts a directory of this machine into the forge, where its builder may
// write.
func (f forge) bring(dir, name string) {
	f.tb.Helper()
	cmd := exec.Command("tar", "-C", dir, "--owner=65534", "--group=65534", "--transform", "s|^\\.|forge/"+name+"|", "-c", ".")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	tar, err := cmd.Output()
	if err != nil {
		f.tb.Fatalf("%v: %s", err, &stderr)
	}
	f.Unpack(tar)
}

// build runs a script of sh in a directory of the forge, as one who may do
// nothing.
func (f forge) build(dir, script string, args ...string) box.Result {
	f.tb.Helper()
	command := []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
		"env", "-C", "/forge/" + dir, "HOME=/forge", "SOURCE_DATE_EPOCH=1700000000", "sh", "-euc", script, "sh"}
	return f.Must(append(command, args...)...)
}

// lines are those of a text, without empty ones.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}
