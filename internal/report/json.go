package report

import (
	"encoding/json"
	"io"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// StatusSchema is the version of the JSON that StatusJSON writes. It rises
// when a field changes its meaning or goes; new fields do not raise it.
const StatusSchema = 1

type statusJSON struct {
	Schema   int           `json:"schema"`
	Packages []packageJSON `json:"packages"`
}

type packageJSON struct {
	dkms.Package
	State   string       `json:"state"`
	Further []Further    `json:"further"`
	Kernels []kernelJSON `json:"kernels"`
}

type kernelJSON struct {
	dkms.KernelID
	State     string    `json:"state"`
	Originals bool      `json:"originals"`
	Missing   bool      `json:"missing"`
	Differs   bool      `json:"differs"`
	WeakFrom  string    `json:"weak_from,omitempty"`
	Further   []Further `json:"further"`
}

// StatusJSON writes rows as JSON, with a package's kernels below it;
// docs/status-json.md describes it.
func StatusJSON(w io.Writer, rows []Row) error {
	out := statusJSON{Schema: StatusSchema, Packages: []packageJSON{}}
	for _, r := range inOrder(rows) {
		last := len(out.Packages) - 1
		if last < 0 || out.Packages[last].Package != r.Package {
			out.Packages = append(out.Packages, packageJSON{
				Package: r.Package, State: dkms.Added.String(), Further: []Further{}, Kernels: []kernelJSON{},
			})
			last++
		}
		p := &out.Packages[last]
		further := append([]Further{}, r.Further...)
		if r.Kernel == (dkms.KernelID{}) {
			p.State = word(r.State)
			p.Further = append(p.Further, further...)
			continue
		}
		k := kernelJSON{
			KernelID: r.Kernel, State: word(r.State), Originals: r.Originals,
			Missing: r.Missing, Differs: r.Differs, WeakFrom: r.WeakFrom, Further: further,
		}
		if r.WeakFrom != "" {
			k.State = "installed-weak"
		}
		p.Kernels = append(p.Kernels, k)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(out)
}
