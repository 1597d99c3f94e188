package srcpkg

import (
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/source"
)

// sample is a source with all that a package can have.
func sample() *source.Description {
	when := time.Unix(1_700_000_000, 0).UTC()
	return &source.Description{
		Dir:  "/nowhere",
		DKMS: dkms.Package{Name: "v4l2_Loopback", Version: "v0.12+a"},
		Conf: &conf.Conf{Autoinstall: true, Modules: []kbuild.Module{{Dest: "v4l2loopback"}}},
		Uses: map[string]bool{"AUTOINSTALL": true},
		Name: "v4l2_Loopback", UpstreamVersion: "v0.12+a",
		Summary: "Virtual video devices", Description: "Applications read these as if they were real ones.\n\nSecond paragraph.",
		License: "GPL-2.0-or-later OR MIT", Homepage: "https://example.org/v4l2loopback",
		Maintainer: "A Person <person@example.org>", Vendor: "Example",
		Files: []pkgfmt.File{
			{Path: "LICENSE", Mode: 0o644, Data: []byte("You may.\n\nOr may not.\n")},
			{Path: "Makefile", Mode: 0o664, Data: []byte("obj-m := v4l2loopback.o\n")},
			{Path: "README.md", Mode: 0o644, Data: []byte("# v4l2loopback\n")},
			{Path: "dkms.conf", Mode: 0o600, Data: []byte("PACKAGE_NAME=v4l2_Loopback\n")},
			{Path: "empty", Kind: pkgfmt.Directory, Mode: 0o700},
			{Path: "scripts/post.sh", Mode: 0o775, Data: []byte("#!/bin/sh\n")},
			{Path: "source", Kind: pkgfmt.Link, Target: "v4l2loopback.c"},
			{Path: "v4l2loopback.c", Mode: 0o644, Data: []byte("/* Copyright (C) 2005-2009 Vasily Levin <vasaka@example.org>\n * Copyright (C) 2010 by A Person */\nMODULE_AUTHOR(\"Vasily Levin\");\n")},
		},
		Licences: []string{"LICENSE"},
		Extra:    []pkgfmt.File{{Path: "/etc/modprobe.d/v4l2loopback.conf", Mode: 0o644, Data: []byte("options v4l2loopback devices=1\n")}},
		Time:     when,
	}
}

// bare is the least that a source can say.
func bare() *source.Description {
	return &source.Description{
		DKMS: dkms.Package{Name: "x-dkms", Version: "1"}, Name: "x-dkms", UpstreamVersion: "1",
		Files: []pkgfmt.File{{Path: "dkms.conf", Mode: 0o644}},
	}
}

func composed(t *testing.T, d *source.Description, f pkgfmt.Format) pkgfmt.Package {
	t.Helper()
	p, err := Compose(d, f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
