//go:build e2e

package bench

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The sizes of the generated trees.
var (
	growthPackages = []int{1, 10, 100, 1000}
	growthKernels  = []int{1, 5}
)

const (
	atOnce        = 100 // packages are installed by one command, which must not take for ever
	growthRepeats = 7   // of each command; medians count
	linear        = 1.1 // the exponent that still counts as that
)

// BenchmarkGrowth measures F: how plan and status grow with the tree.
func BenchmarkGrowth(b *testing.B) {
	s := newSession(b)
	for _, kernels := range growthKernels {
		b.Run(fmt.Sprintf("%d kernels", kernels), func(b *testing.B) { s.growth(b, kernels) })
	}
	if b.Failed() {
		return
	}
	s.printGrowth(b, os.Stdout)
	s.save(b)
	if *plotFile != "" {
		if err := os.WriteFile(*plotFile, []byte(s.plotGrowth().SVG()), 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// growth makes the tree larger and larger, by the program itself, and measures
// at each size.
func (s *session) growth(b *testing.B, kernels int) {
	h := newGenerated(b, kernels)
	plan, status := Growth{What: "plan", Kernels: kernels}, Growth{What: "status", Kernels: kernels}
	have := 0
	for _, n := range growthPackages {
		for have < n {
			for more := min(n, have+atOnce); have < more; have++ {
				h.generate(have)
			}
			h.Must("dkms-hook", "sync", "-q")
		}
		_, lines := h.cost(s.meter, "/usr/sbin/dkms-hook", "status")
		if got := strings.Count(lines, ": installed\n"); got != n*kernels {
			b.Fatalf("%d of %d packages for %d kernels are installed:\n%s", got, n, kernels, lines)
		}
		for _, g := range []*Growth{&plan, &status} {
			var costs []Cost
			for range growthRepeats {
				c, _ := h.cost(s.meter, "/usr/sbin/dkms-hook", g.What)
				costs = append(costs, c)
			}
			g.Points = append(g.Points, Point{n, MedianCost(costs).Wall})
			fmt.Fprintf(os.Stderr, "%s, %d packages × %d kernels: %v\n", g.What, n, kernels, MedianCost(costs).Wall.Round(time.Microsecond))
		}
	}
	s.Growth = append(s.Growth, plan, status)
}

// A generated host has stubs of kernels, and a module that others are made
// from without a compiler: by their names and releases, which are as long.
type generated struct {
	host
	real string // the release that the module was built for
}

const (
	template     = "p0000"
	templateFile = "/usr/src/template.ko"
	templateC    = "#include <linux/module.h>\nstatic int __init start(void) { return 0; }\nmodule_init(start);\nMODULE_LICENSE(\"GPL\");\n"
)

func newGenerated(b *testing.B, kernels int) generated {
	b.Helper()
	h := generated{host: newHost(b, ours)}
	h.real = h.kernels[0]
	headers := "/usr/src/linux-headers-" + h.real
	h.Write("/root/template/Makefile", "obj-m := "+template+".o\n")
	h.Write("/root/template/"+template+".c", templateC)
	h.Must("make", "-s", "-C", headers, "M=/root/template", "modules")
	h.Must("strip", "-g", "-o", templateFile, "/root/template/"+template+".ko")
	for _, release := range h.kernels {
		h.RemoveAll("/lib/modules/" + release)
	}
	for i := range kernels {
		h.stub(headers, i)
	}
	return h
}

// stub makes a kernel that has headers, as far as anybody looks, and no modules.
func (h generated) stub(headers string, i int) {
	release := h.real[:len("6.1.0-")] + fmt.Sprint(90+i) + h.real[len("6.1.0-56"):]
	own := "/usr/src/linux-headers-" + release
	h.Must("cp", "-rs", headers, own)
	for file, text := range map[string]string{
		"include/config/kernel.release":  release + "\n",
		"include/generated/utsrelease.h": "#define UTS_RELEASE \"" + release + "\"\n",
	} {
		h.RemoveAll(own + "/" + file)
		h.Write(own+"/"+file, text)
	}
	dir := "/lib/modules/" + release
	h.Symlink(own, dir+"/build")
	h.Write(dir+"/modules.order", "")
	h.Write(dir+"/modules.builtin", "")
}

// generate registers package n.
func (h generated) generate(n int) {
	name := fmt.Sprintf("p%04d", n)
	source := "/usr/src/" + name + "-1.0"
	h.Write(source+"/dkms.conf", strings.Join([]string{
		"PACKAGE_NAME=" + name, "PACKAGE_VERSION=1.0", "BUILT_MODULE_NAME=" + name, "DEST_MODULE_LOCATION=/updates", "AUTOINSTALL=yes",
		`MAKE="sed -e s/` + template + `/` + name + `/g -e s/` + h.real + `/$kernelver/g ` + templateFile + ` >` + name + `.ko"`,
	}, "\n")+"\n")
	h.Write(source+"/"+name+".c", templateC)
	h.Symlink(source, "/var/lib/dkms/"+name+"/1.0/source")
}

func (s *session) printGrowth(b *testing.B, w *os.File) {
	t := Table{Title: "F. growth of plan and status", Head: []string{"packages"}}
	for _, g := range s.Growth {
		t.Head = append(t.Head, fmt.Sprintf("%s, %s", g.What, kernelCount(g.Kernels)))
	}
	for i, n := range growthPackages {
		row := []string{fmt.Sprint(n)}
		for _, g := range s.Growth {
			row = append(row, Seconds(g.Points[i].Took))
		}
		t.Add(row...)
	}
	fit, last := []string{"exponent, of all"}, []string{"exponent, of the last two"}
	for _, g := range s.Growth {
		fit, last = append(fit, fmt.Sprintf("%.2f", Exponent(g.Points))), append(last, fmt.Sprintf("%.2f", Last(g.Points)))
		if Last(g.Points) > linear {
			b.Errorf("%s for %d kernels grows by n^%.2f; want linear growth", g.What, g.Kernels, Last(g.Points))
		}
	}
	t.Add(fit...)
	t.Add(last...)
	t.Note("Generated packages, all installed by the program itself, for stubs of kernels. Medians of %d.", growthRepeats)
	fmt.Fprintf(w, "\n%s\n", s.Machine)
	t.Print(w)
}

func kernelCount(n int) string {
	if n == 1 {
		return "1 kernel"
	}
	return fmt.Sprintf("%d kernels", n)
}

func (s *session) plotGrowth() Plot {
	p := Plot{Title: "plan and status on generated trees", X: "packages"}
	whats := []string{"plan", "status"}
	for _, g := range s.Growth {
		p.Lines = append(p.Lines, Line{
			Name: g.What + ", " + kernelCount(g.Kernels), Points: g.Points,
			Colour: slices.Index(whats, g.What), Dashed: g.Kernels == growthKernels[0],
		})
	}
	return p
}
