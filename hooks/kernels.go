package hooks

import "github.com/dkms-hook/dkms-hook/internal/dkms"

// scope are the kernels that the call names, or else all that shall have
// modules.
func (r *run) scope() ([]dkms.KernelID, error) {
	if len(r.call.Kernels) > 0 && !r.call.AllKernels {
		return r.call.Targets()
	}
	r.call.AllKernels = true
	return r.machine.WantedKernels()
}
