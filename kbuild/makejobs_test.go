package kbuild

import (
	"strings"
	"testing"
)

func TestUseOfJobs(t *testing.T) {
	t.Parallel()
	const parallel, serial, widened = "parallel", "serial", "widened"
	for _, c := range []struct{ command, want, use string }{
		// dkms gives -j to these.
		{"make KERNELRELEASE=K -C /k M=/b", "make KERNELRELEASE=K -C /k M=/b", parallel},
		{"make -j2 KERNELRELEASE=K all", "make KERNELRELEASE=K all", parallel},
		{"make -j KERNELRELEASE=K all", "make KERNELRELEASE=K all", parallel},
		{"make", "make", parallel},
		{"make KERNELRELEASE=K -j4 -C /k", "make KERNELRELEASE=K -C /k", parallel},
		{"make KERNELRELEASE=K -j 4 -C /k", "make KERNELRELEASE=K -C /k", parallel},
		{"make KERNELRELEASE=K --jobs=4 -C /k", "make KERNELRELEASE=K -C /k", parallel},
		{"make KERNELRELEASE=K --jobs 4 -C /k", "make KERNELRELEASE=K -C /k", parallel},
		{"make KERNELRELEASE=K --jobs -C /k", "make KERNELRELEASE=K -C /k", parallel},
		{"make KERNELRELEASE=K -sj4 all", "make KERNELRELEASE=K -s all", parallel},
		{"make KERNELRELEASE=K -kj all", "make KERNELRELEASE=K -k all", parallel},
		{"make KERNELRELEASE=K \"-j4\" '-j' '3' all", "make KERNELRELEASE=K all", parallel},
		{"make KERNELRELEASE=K -j$(nproc) all", "make KERNELRELEASE=K all", parallel},
		{"make KERNELRELEASE=K -j`nproc` all", "make KERNELRELEASE=K all", parallel},
		{"make KERNELRELEASE=K --jobs=$N all", "make KERNELRELEASE=K all", parallel},
		{"make KERNELRELEASE=K -j $N all", "make KERNELRELEASE=K -j $N all", parallel}, // $N may be a target
		{"make KERNELRELEASE=K CFLAGS='-j4 -DX' -C /x-j4/y -f jobs", "make KERNELRELEASE=K CFLAGS='-j4 -DX' -C /x-j4/y -f jobs", parallel},
		{"make KERNELRELEASE=K && make -j4 install", "make KERNELRELEASE=K && make install", parallel},
		{"make KERNELRELEASE=K -j1 -j4", "make KERNELRELEASE=K", parallel},
		// Their authors want one job.
		{"'make' KERNELRELEASE=K", "'make' KERNELRELEASE=K", serial},
		{" 'make' KLIB=/x", " 'make' KLIB=/x", serial},
		{"'make' all;'make' setup", "'make' all;'make' setup", serial},
		{`"make" all`, `"make" all`, serial},
		{`\make all`, `\make all`, serial},
		{"'make'", "'make'", serial},
		{"'make' -j1 all", "'make' -j1 all", serial},
		{"make -j2 KERNELRELEASE=K -j1 all", "make KERNELRELEASE=K -j1 all", serial},
		{"make KERNELRELEASE=K -j 1 all", "make KERNELRELEASE=K -j 1 all", serial},
		{"cd x && make -j1", "cd x && make -j1", serial},
		// These take what they are given by themselves.
		{"'make' -j4 NV_X='' modules", "'make' NV_X='' modules", parallel},
		{"'make' -j 8 KERNELDIR=/k", "'make' KERNELDIR=/k", parallel},
		{"./configure --with-linux=/k && make -j8", "./configure --with-linux=/k && make", parallel},
		// dkms gives these one.
		{"cd x; make -C y", "cd x; make -C y", widened},
		{"(make modules KVERS=K MODULES_EXTRA='a b'; make KVERS=K)", "(make modules KVERS=K MODULES_EXTRA='a b'; make KVERS=K)", widened},
		{"(make -j2 modules; make)", "(make modules; make)", widened},
		{"make KERNELRELEASE=K a; make b", "make KERNELRELEASE=K a; make b", widened},
		{"KDIR=/k make all", "KDIR=/k make all", widened},
		{"env NV_VERBOSE=1 make -C x", "env NV_VERBOSE=1 make -C x", widened},
		{"env A=b nice make -j4 -C x", "env A=b nice make -C x", parallel},
		{"./build modules K", "./build modules K", widened},
		{"bash -c 'make -j4'", "bash -c 'make -j4'", widened}, // not seen
		{"cmake --build x -j4", "cmake --build x -j4", widened},
		{"if test -f x; then /usr/bin/make -j4 -C x; else make; fi", "if test -f x; then /usr/bin/make -C x; else make; fi", widened},
		{"./x\n\nmake \\\n -j4 \\\n all", "./x\n\nmake \\\n \\\n all", parallel},
		{"make\tall", "make\tall", parallel},
		{"  make all", "  make all", widened}, // not at the beginning, so none from dkms
		// These cannot be read.
		{"make KERNELRELEASE=K -j4 $(", "make KERNELRELEASE=K -j4 $(", parallel},
		{"'make' $(", "'make' $(", serial},
		{"", "", widened},
	} {
		got := useOfJobs(c.command)
		use := map[bool]string{true: serial, false: parallel}[got.serial]
		if got.widened {
			use = widened
		}
		if got.command != c.want || use != c.use || got.serial && got.widened {
			t.Errorf("useOfJobs(%q) = %q, %s; want %q, %s", c.command, got.command, use, c.want, c.use)
		}
	}
}

// Whatever the command, only options go, and a second reading finds nothing.
func FuzzUseOfJobs(f *testing.F) {
	for _, seed := range []string{"make -j4 all", "'make' -sj 4 x", "(make -j$(nproc) a; make --jobs=3)", "make \"-j4\" \\\n -j", "a; make -j ü -j4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, command string) {
		use := useOfJobs(command)
		rest := command
		for i := range len(use.command) { // it is what is left of command, in order
			_, after, found := strings.Cut(rest, use.command[i:i+1])
			if !found {
				t.Fatalf("useOfJobs(%q) = %q, which has more from byte %d on", command, use.command, i)
			}
			rest = after
		}
		if again := useOfJobs(use.command); again.command != use.command {
			t.Errorf("useOfJobs(%q) = %q, and of that %q", command, use.command, again.command)
		}
	})
}
