package hooks

import (
	"github.com/dkms-hook/dkms-hook/conf"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/plan"
	"github.com/dkms-hook/dkms-hook/internal/system"
	"github.com/dkms-hook/dkms-hook/internal/tree"
)

// want begins what shall be.
func (r *run) want() plan.Want {
	return plan.Want{NoDepmod: r.call.NoDepmod, Initramfs: r.wantsInitramfs(), PostTransaction: r.machine.Framework.PostTransaction != ""}
}

// systemModules is where the programs that make initial RAM file systems look for
// modules.
const systemModules = "/lib/modules"

// wantsInitramfs reports whether initial RAM file systems are this run's
// business: not when the modules are installed somewhere else.
func (r *run) wantsInitramfs() bool {
	return r.machine.Framework.Initrd != conf.Never && !r.callerMakesInitramfs && system.SameFile(r.machine.Tree.InstallDir, systemModules)
}

// wantAll is what AUTOINSTALL wants on the kernels ids.
func (r *run) wantAll(have tree.Snapshot, ids []dkms.KernelID, why string) plan.Want {
	defer r.part("conf")()
	want := r.want()
	want.Targets = r.maker.All(r.ctx, have, ids, why)
	if !r.writing || !r.declarative {
		return want
	}
	for _, t := range want.Targets {
		if t.NotReady != nil && t.NotReady.Reason == plan.ExcludedByRule {
			_ = r.machine.Tree.ForgetFailure(t.Ref) // nobody will try again
		}
	}
	return want
}
