package tree

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

func packageCases() []examineCase {
	r := ref("pa", "1.0")
	addPA := func(t *testing.T, tr Tree) { add(t, tr, r.Package) }
	with := func(path string) func(t *testing.T, tr Tree) {
		return func(t *testing.T, tr Tree) { add(t, tr, r.Package); write(t, filepath.Join(tr.Dir, path), "x") }
	}
	return []examineCase{
		{name: "half-built", setUp: with("pa/1.0/" + release + "/x86_64/log/make.log"),
			want: []string{"+dkms/pa/1.0/" + release + "/x86_64: is a half-finished build"}, did: []string{"was removed"},
			check: func(t *testing.T, tr Tree) {
				if system.Exists(filepath.Join(tr.PackageDir(r.Package), release)) {
					t.Error("an empty directory is left")
				}
			}},
		{name: "half-built, empty", setUp: func(t *testing.T, tr Tree) { addPA(t, tr); must(t, os.MkdirAll(tr.RefDir(r), 0o755)) },
			want: []string{"+dkms/pa/1.0/" + release + ": is a half-finished build"}, did: []string{"was removed"}},
		{name: "half-built, with something in it", setUp: with("pa/1.0/" + release + "/x86_64/notes"),
			want: []string{"dkms/pa/1.0/" + release + "/x86_64: has no module/ and so is no build"}},
		{name: "foreign files", setUp: func(t *testing.T, tr Tree) {
			for _, path := range []string{"notes", "pa/notes", "pa/1.0/notes", "pa/1.0/" + release + "/notes"} {
				with(path)(t, Tree{Dir: tr.Dir, SourceDir: tr.SourceDir, InstallDir: tr.InstallDir})
				remove(t, tr.SourceLink(r.Package))
			}
			symlink(t, tr.Source(r.Package), tr.SourceLink(r.Package))
			symlink(t, "/nowhere", filepath.Join(tr.Dir, "dangling"))
			write(t, filepath.Join(tr.Dir, "lost+found/#1"), "")
			write(t, filepath.Join(tr.Dir, "dkms_dbversion"), "")
			write(t, filepath.Join(tr.Dir, ".hidden"), "")
		}, want: []string{"dkms/dangling: " + foreign, "dkms/notes: " + foreign, "dkms/pa/1.0/" + release + "/notes: " + foreign,
			"dkms/pa/1.0/notes: " + foreign, "dkms/pa/notes: " + foreign}},
		{name: "an empty package", setUp: func(t *testing.T, tr Tree) {
			must(t, os.MkdirAll(filepath.Join(tr.Dir, "pb"), 0o755))
			must(t, os.MkdirAll(filepath.Join(tr.Dir, "pc/1/build"), 0o755))
		}, want: []string{"+dkms/pb: is empty", "+dkms/pc: is empty"}, did: []string{"was removed", "was removed"}},
		{name: "an empty version", setUp: func(t *testing.T, tr Tree) {
			addPA(t, tr)
			must(t, os.MkdirAll(filepath.Join(tr.Dir, "pa/2/build"), 0o755))
		},
			want: []string{"+dkms/pa/2: is not registered, and nothing is in it"}, did: []string{"was removed"}},
		{name: "an unregistered version", setUp: with("pa/2/build/notes"),
			want: []string{"dkms/pa/2: is not registered, and nothing is built of it"}},
		{name: "damaged records", setUp: func(t *testing.T, tr Tree) {
			install(t, tr, r, "alpha.ko")
			write(t, tr.manifestPath(r), "{")
			write(t, tr.FailurePath(r), "[]")
			write(t, tr.retirementPath(r.Package), "")
		}, want: []string{
			"+dkms/pa/1.0/.log/" + release + "/x86_64/failure.json: is damaged: json: cannot unmarshal array into Go value of type tree.Failure",
			"+dkms/pa/1.0/.retired.json: is damaged: unexpected end of JSON input",
			"+dkms/pa/1.0/" + release + "/x86_64/.dkms-hook.json: is damaged: unexpected end of JSON input",
		}, did: []string{"was removed", "was removed", "was removed"}, check: wantInstalled},
		{name: "a record that cannot be read", setUp: with("pa/1.0/.log/" + release + "/x86_64/failure.json/x"),
			want: []string{"dkms/pa/1.0/.log/" + release + "/x86_64/failure.json: cannot be read: is a directory"}},
		{name: "records of a newer program", setUp: func(t *testing.T, tr Tree) {
			install(t, tr, r, "alpha.ko")
			for _, path := range []string{tr.manifestPath(r), tr.FailurePath(r), tr.retirementPath(r.Package)} {
				write(t, path, `{"schema": 9}`)
			}
		}, want: []string{
			"dkms/pa/1.0/.log/" + release + "/x86_64/failure.json: was written by a newer dkms-hook",
			"dkms/pa/1.0/.retired.json: was written by a newer dkms-hook",
			"dkms/pa/1.0/" + release + "/x86_64/.dkms-hook.json: was written by a newer dkms-hook",
		}, check: wantInstalled},
		{name: "a manifest of another ref", setUp: func(t *testing.T, tr Tree) {
			install(t, tr, r, "alpha.ko")
			build(t, tr, ref("pa", "2.0"), "alpha.ko")
			write(t, tr.manifestPath(r), read(t, tr.manifestPath(ref("pa", "2.0"))))
		}, want: []string{"+dkms/pa/1.0/" + release + "/x86_64/.dkms-hook.json: is damaged: it is about pa/2.0/" + release + "/x86_64"},
			did: []string{"was removed"}, check: wantInstalled},
		{name: "half a key pair", setUp: with("mok.key"), want: []string{"dkms/mok.key: its certificate, mok.pub, is missing: modules cannot be signed"}},
		{name: "the other half", setUp: with("mok.pub"), want: []string{"dkms/mok.pub: its private key, mok.key, is missing: modules cannot be signed"}},
		{name: "a link to another place", setUp: func(t *testing.T, tr Tree) {
			build(t, tr, r, "alpha.ko")
			symlink(t, "1.0/"+release+"/x86_64", filepath.Join(tr.Dir, "pa/kernel-other-x86_64"))
			symlink(t, "9/other/x86_64", filepath.Join(tr.Dir, "pa/kernel-another-x86_64"))
		}, want: []string{"+dkms/pa/kernel-another-x86_64: leads nowhere"}, did: []string{"was removed"}},
	}
}

// wantInstalled wants pa/1.0 still installed.
func wantInstalled(t *testing.T, tr Tree) {
	t.Helper()
	if got := statuses(t, tr, CompareOptions{})[0]; got != "pa/1.0, "+release+", x86_64: installed" {
		t.Errorf("status = %q; want it installed", got)
	}
}

func sourceCases() []examineCase {
	r := ref("pa", "1.0")
	nothing := func(t *testing.T, tr Tree) {
		if got := statuses(t, tr, CompareOptions{}); len(got) != 0 {
			t.Errorf("status = %q; want none", got)
		}
	}
	at := "the source link points at "
	return []examineCase{
		{name: "source gone", setUp: func(t *testing.T, tr Tree) { add(t, tr, r.Package); remove(t, tr.Source(r.Package)) },
			want: []string{"+dkms/pa/1.0/source: " + at + "src/pa-1.0, where there is no directory, and nothing is built of it"},
			did:  []string{"was taken out of the tree"}, check: nothing},
		{name: "source gone, installed", setUp: func(t *testing.T, tr Tree) { install(t, tr, r, "alpha.ko"); remove(t, tr.Source(r.Package)) },
			want: []string{"dkms/pa/1.0/source: " + at + "src/pa-1.0, where there is no directory; its modules stay as they are, and no other kernel gets them"},
			check: func(t *testing.T, tr Tree) {
				if modules(t, tr)["updates/dkms/alpha.ko"] == "" {
					t.Error("the module is gone")
				}
			}},
		{name: "source on another disk", setUp: func(t *testing.T, tr Tree) {
			add(t, tr, r.Package)
			remove(t, tr.Source(r.Package))
			remove(t, tr.SourceLink(r.Package))
			symlink(t, "/mnt/pa", tr.SourceLink(r.Package))
		}, want: []string{"dkms/pa/1.0/source: " + at + "/mnt/pa, where there is no directory, and nothing is built of it"}},
		{name: "no sources at all", setUp: func(t *testing.T, tr Tree) { add(t, tr, r.Package); remove(t, tr.SourceDir) },
			want: []string{"dkms/pa/1.0/source: " + at + "src/pa-1.0, where there is no directory, and nothing is built of it"}},
		{name: "link gone", setUp: func(t *testing.T, tr Tree) { install(t, tr, r, "alpha.ko"); remove(t, tr.SourceLink(r.Package)) },
			want: []string{"+dkms/pa/1.0/source: the source link is missing though src/pa-1.0 exists"},
			did:  []string{"points at src/pa-1.0"}, check: wantInstalled},
		{name: "link dangles beside the source", setUp: func(t *testing.T, tr Tree) {
			install(t, tr, r, "alpha.ko")
			remove(t, tr.SourceLink(r.Package))
			symlink(t, "/home/pa", tr.SourceLink(r.Package))
		}, want: []string{"+dkms/pa/1.0/source: " + at + "/home/pa, where there is no directory"}, did: []string{"points at src/pa-1.0"}, check: wantInstalled},
		{name: "source is a file", setUp: func(t *testing.T, tr Tree) { write(t, tr.SourceLink(r.Package), "") },
			want: []string{"dkms/pa/1.0: is not registered, and nothing is built of it"}},
		{name: "source is a file, and there is one", setUp: func(t *testing.T, tr Tree) {
			add(t, tr, r.Package)
			remove(t, tr.SourceLink(r.Package))
			write(t, tr.SourceLink(r.Package), "")
		}, want: []string{"dkms/pa/1.0/source: is a file, where the link to the source belongs"}},
		{name: "no dkms.conf", setUp: func(t *testing.T, tr Tree) { add(t, tr, r.Package); remove(t, tr.Source(r.Package)+"/dkms.conf") },
			want: []string{"dkms/pa/1.0/source: leads to a source without a dkms.conf: src/pa-1.0"}},
		{name: "neither link nor source", setUp: func(t *testing.T, tr Tree) {
			build(t, tr, r, "alpha.ko")
			remove(t, tr.SourceLink(r.Package))
			remove(t, tr.Source(r.Package))
		}, want: []string{"dkms/pa/1.0: has built modules but neither a source link nor src/pa-1.0"}},
		{name: "retired", setUp: func(t *testing.T, tr Tree) {
			install(t, tr, r, "alpha.ko")
			must(t, tr.Retire(r.Package, Retirement{By: "pa-dkms"}))
			remove(t, tr.Source(r.Package))
		}},
		{name: "not registered", setUp: func(t *testing.T, tr Tree) {
			write(t, tr.SourceDir+"/pb-1.0/dkms.conf", "")
			write(t, tr.SourceDir+"/linux-headers/Makefile", "")
			write(t, tr.SourceDir+"/pc-git/dkms.conf", "")
			symlink(t, "pc-git", tr.SourceDir+"/pc-1.0")
			must(t, tr.Register(dkms.Package{Name: "pc", Version: "1.0"}, tr.SourceDir+"/pc-1.0"))
		}, want: []string{"src/pb-1.0: is a source that is not registered, so that no kernel gets its modules"}},
	}
}

func kernelCases() []examineCase {
	r := ref("pa", "1.0")
	original := func(t *testing.T, tr Tree) {
		write(t, filepath.Join(tr.KernelDir(release), "kernel/drivers/misc/alpha.ko"), "original")
	}
	strange := "is a module that no package in the tree accounts for"
	return []examineCase{
		{name: "dangling active link", setUp: func(t *testing.T, tr Tree) {
			original(t, tr)
			install(t, tr, r, "alpha.ko")
			remove(t, filepath.Dir(tr.RefDir(r)))
		}, want: []string{"+dkms/pa/kernel-" + release + "-x86_64: says that 1.0/" + release + "/x86_64 is installed, where nothing is built",
			"modules/" + release + "/updates/dkms/alpha.ko: " + strange}, did: []string{"was removed"},
			// The original is back, as after any uninstall.
			check: func(t *testing.T, tr Tree) {
				if got := modules(t, tr)["kernel/drivers/misc/alpha.ko"]; got != "original" {
					t.Errorf("original = %q", got)
				}
			}, left: []string{"dkms/.dkms-hook/depmod/" + release + ": modules.dep of " + release + " is older than the modules",
				"modules/" + release + "/updates/dkms/alpha.ko: " + strange}},
		{name: "installed for a kernel that is gone", setUp: func(t *testing.T, tr Tree) {
			must(t, os.MkdirAll(tr.KernelDir(gone), 0o755))
			build(t, tr, goneRef, "alpha.ko")
			must(t, commit(tr.Install(goneRef, []Placement{{From: "alpha.ko", To: tr.KernelDir(gone) + "/updates/dkms/alpha.ko"}}, InstallOptions{})))
			must(t, tr.DepmodDone(gone))
			remove(t, tr.KernelDir(gone))
		}, want: []string{"+dkms/pa/1.0/" + gone + "/x86_64: is installed for a kernel that is gone"}, did: []string{"was removed"},
			check: func(t *testing.T, tr Tree) {
				if got := statuses(t, tr, CompareOptions{}); got[0] != "pa/1.0: added" || system.Exists(tr.ActiveLink("pa", goneRef.KernelID)) {
					t.Errorf("status = %q; want it added, without an active link", got)
				}
			}},
		{name: "built for a kernel that is not there", setUp: func(t *testing.T, tr Tree) { build(t, tr, goneRef, "alpha.ko") },
			want: []string{"dkms/pa/1.0/" + gone + "/x86_64: is built for a kernel that has no directory in modules"}},
		{name: "failed for a kernel that is gone", setUp: func(t *testing.T, tr Tree) { add(t, tr, r.Package); failed(t, tr, goneRef); failed(t, tr, r) },
			want: []string{"+dkms/pa/1.0/.log/" + gone + "/x86_64: tells of a failure for a kernel that is gone"}, did: []string{"was removed"}},
		{name: "no kernels at all", setUp: func(t *testing.T, tr Tree) {
			install(t, tr, r, "alpha.ko")
			failed(t, tr, goneRef)
			write(t, tr.OriginalDir("pa", goneRef.KernelID)+"/alpha.ko", "original")
			remove(t, tr.InstallDir)
		}, want: []string{"dkms/pa/original_module/" + gone + "/x86_64: holds modules that were set aside for a version of pa that is installed no more"}},
		{name: "originals of nobody", setUp: func(t *testing.T, tr Tree) {
			original(t, tr)
			install(t, tr, r, "alpha.ko")
			remove(t, tr.ActiveLink("pa", kernel))
			remove(t, inUpdates(tr, "alpha.ko"))
		}, want: []string{"dkms/pa/original_module/" + release + "/x86_64: holds modules that were set aside for a version of pa that is installed no more"}},
		{name: "originals that are back", setUp: func(t *testing.T, tr Tree) {
			original(t, tr)
			install(t, tr, r, "alpha.ko")
			remove(t, tr.ActiveLink("pa", kernel))
			remove(t, inUpdates(tr, "alpha.ko"))
			original(t, tr)
		}, want: []string{"+dkms/pa/original_module/" + release + "/x86_64: holds modules that are back in their places"}, did: []string{"was removed"},
			check: func(t *testing.T, tr Tree) {
				if system.Exists(filepath.Join(tr.Dir, "pa", originalsDir)) {
					t.Error("an empty directory is left")
				}
			}},
		{name: "originals of a kernel that is gone", setUp: func(t *testing.T, tr Tree) {
			add(t, tr, r.Package)
			write(t, tr.OriginalDir("pa", goneRef.KernelID)+"/alpha.ko", "original")
			must(t, os.MkdirAll(tr.OriginalDir("pa", kernel), 0o755))
		}, want: []string{"+dkms/pa/original_module/" + gone + "/x86_64: holds modules of a kernel that is gone",
			"+dkms/pa/original_module/" + release + "/x86_64: is empty"}, did: []string{"was removed", "was removed"}},
		{name: "modules of nobody", setUp: func(t *testing.T, tr Tree) {
			install(t, tr, r, "alpha.ko", "al-so.ko")
			build(t, tr, ref("pb", "1"), "beta.ko")
			dir := tr.KernelDir(release)
			write(t, dir+"/updates/dkms/strange.ko.xz", "x")
			write(t, dir+"/updates/dkms/sub/strange.ko", "x")
			write(t, dir+"/updates/dkms/notes", "x")
			write(t, dir+"/updates/dkms/beta.ko", "pb 1 beta.ko")
			write(t, dir+"/extra/al_so.ko", "of the name of one of ours")
			write(t, dir+"/extra/vendor/other.ko", "nothing to do with us")
			write(t, dir+"/updates/other.ko", "nothing to do with us")
			symlink(t, filepath.Join(tr.Dir, "pa/0.9/x/y/module/old.ko"), dir+"/extra/alpha.ko")
		}, want: []string{"modules/" + release + "/extra/al_so.ko: " + strange,
			"+modules/" + release + "/extra/alpha.ko: is a link to a module that is not in the tree any more",
			"modules/" + release + "/updates/dkms/beta.ko: is the module that pb/1 has built, but which does not count as installed",
			"modules/" + release + "/updates/dkms/strange.ko.xz: " + strange,
			"modules/" + release + "/updates/dkms/sub/strange.ko: " + strange},
			did: []string{"was removed"}, left: []string{"dkms/.dkms-hook/depmod/" + release + ": modules.dep of " + release + " is older than the modules",
				"modules/" + release + "/extra/al_so.ko: " + strange,
				"modules/" + release + "/updates/dkms/beta.ko: is the module that pb/1 has built, but which does not count as installed",
				"modules/" + release + "/updates/dkms/strange.ko.xz: " + strange,
				"modules/" + release + "/updates/dkms/sub/strange.ko: " + strange}},
		{name: "what depmod wrote for a kernel that is gone", setUp: func(t *testing.T, tr Tree) {
			write(t, tr.KernelDir(gone)+"/modules.dep", "")
			must(t, os.MkdirAll(tr.KernelDir(gone)+"/updates/dkms", 0o755))
			must(t, os.MkdirAll(tr.KernelDir("mount-point"), 0o755))
		}, want: []string{"+modules/" + gone + ": holds only what depmod wrote, or nothing: its kernel is gone"}, did: []string{"was removed"}},
		{name: "only our modules", setUp: func(t *testing.T, tr Tree) {
			install(t, tr, r, "alpha.ko")
			remove(t, tr.KernelDir(release)+"/kernel")
			write(t, tr.KernelDir(release)+"/modules.dep", "")
		}, want: []string{"modules/" + release + ": holds only modules of packages in the tree: its kernel is gone"}, check: wantInstalled},
		{name: "depmod is due", setUp: func(t *testing.T, tr Tree) { must(t, tr.needDepmod(release)); must(t, tr.needDepmod(gone)) },
			want: []string{"+dkms/.dkms-hook/depmod/" + gone + ": modules.dep of " + gone + " is to be made anew, but there is no such kernel",
				"dkms/.dkms-hook/depmod/" + release + ": modules.dep of " + release + " is older than the modules"}, did: []string{"was forgotten"}},
		{name: "an interrupted install", setUp: func(t *testing.T, tr Tree) {
			build(t, tr, r, "alpha.ko")
			_, err := tr.Install(r, places(tr, r, "alpha.ko"), InstallOptions{})
			must(t, err)
			must(t, tr.DepmodDone(release))
			write(t, filepath.Join(tr.PackageDir(r.Package), scratchDir, "x"), "")
			write(t, tr.SourceDir+"/.pb-1.dkms-hook-new/x", "")
			write(t, tr.SourceDir+"/.pb-1.dkms-hook-old/x", "")
		}, want: []string{"+dkms/.dkms-hook/journal/pa!1.0!" + release + "!x86_64.json: an install of pa/1.0/" + release + "/x86_64 was interrupted",
			"+dkms/pa/1.0/.scratch: was left by an interrupted run",
			"+src/.pb-1.dkms-hook-new: was left by an interrupted run",
			"+src/.pb-1.dkms-hook-old: is a source that an interrupted run had set aside"}, did: []string{"was taken back"}, left: []string{}},
		{name: "a journal that nobody understands", setUp: func(t *testing.T, tr Tree) { write(t, tr.own("journal/x.json"), "{") },
			want: []string{"dkms/.dkms-hook/journal/x.json: tells of an unfinished change, and cannot be understood: unexpected end of JSON input"}},
	}
}
