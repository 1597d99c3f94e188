package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
)

// Diff returns the steps that lead from have to want, and a note for each
// target that needs none or can have none. It is total: any input gives a
// plan, with no step twice and nothing before what it needs.
func Diff(want Want, have Have) Plan {
	ix := newIndex(have)
	d := &draft{ix: &ix, steps: map[StepID]Step{}}
	d.goals = newGoals(want, &ix, &d.notes)
	d.work = settle(&ix, d.goals, &d.notes)
	d.raise()
	d.lower()
	if !want.NoDepmod {
		d.depmod()
	}
	if want.Initramfs {
		d.initramfs()
	}
	if want.PostTransaction {
		d.postTransaction()
	}
	return Plan{Schema: Schema, Steps: order(d.steps), Notes: d.notes.sorted()}
}

// draft collects the steps of a plan.
type draft struct {
	ix    *index
	goals goals
	work  *work
	steps map[StepID]Step
	notes noteSet
}

func (d *draft) add(s Step) StepID {
	s.Needs, s.After, s.Holds = tidy(s.Needs), tidy(s.After), tidy(s.Holds)
	d.steps[s.ID()] = s
	return s.ID()
}

// tidy returns the words sorted, each once; nil for none.
func tidy[S ~string](words []S) []S {
	if len(words) == 0 {
		return nil
	}
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Compact(words)
}

// raise makes the steps of Add, Build and Install, and the notes of targets
// that have none.
func (d *draft) raise() {
	for _, r := range sortedKeys(d.work.items) {
		it := d.work.items[r]
		if it.build != "" {
			d.build(r, it)
		}
		if it.install != "" {
			d.install(r, it)
		}
	}
	for _, r := range d.goals.upOrder {
		t := d.goals.up[r]
		switch {
		case d.work.items[r] != nil || d.work.out[r]:
		case t.Goal == dkms.Added && t.NotReady == nil && !d.ix.usable(r.Package):
			d.registered(t)
		default:
			d.notes.addOf(r, d.idle(t))
		}
	}
}

// idle words the note of a target that needs no step, or that can have none by
// what it says itself.
func (d *draft) idle(t Target) Note {
	have := d.ix.refs[t.Ref]
	pending := t.NotReady != nil && t.NotReady.Reason == PendingHeaders
	switch p := d.ix.packages[t.Ref.Package]; {
	case t.NotReady != nil && !(pending && have.State >= t.Goal && have.Stale == "" && !t.Force):
		return *t.NotReady
	case p.Broken != "":
		return Note{Reason: BrokenSource, Text: p.Broken}
	case t.Goal == dkms.Added:
		return Note{Reason: UpToDate, Text: "already added"}
	case t.Goal == dkms.Built:
		return Note{Reason: UpToDate, Text: "already built"}
	}
	return Note{Reason: UpToDate, Text: "already installed"}
}

// registered adds the step that registers the package of t, once, where that
// is to be done, and returns it.
func (d *draft) registered(t Target) []StepID {
	if d.ix.usable(t.Ref.Package) {
		return nil
	}
	s := Step{Verb: Add, Ref: dkms.Ref{Package: t.Ref.Package}, Why: because(t.Why, "not registered yet")}
	if broken := d.ix.packages[t.Ref.Package].Broken; broken != "" {
		s.Why = because(t.Why, broken)
	}
	if d.has(s.ID()) {
		return []StepID{s.ID()}
	}
	return []StepID{d.add(s)}
}

func (d *draft) build(r dkms.Ref, it *item) {
	s := Step{Verb: Build, Ref: r, Why: because(it.target.Why, it.build), Holds: it.target.Exclusive, Force: it.target.Force}
	s.Needs = append(s.Needs, d.registered(it.target)...)
	for _, name := range it.target.Depends {
		p, ok := d.work.provider(slot{name, r.KernelID})
		if !ok {
			continue // forced to do without
		}
		s.With = append(s.With, p.Package)
		if dep := d.work.items[p]; dep != nil && dep.build != "" {
			s.Needs = append(s.Needs, Step{Verb: Build, Ref: p}.ID())
		}
	}
	d.add(s)
}

func (d *draft) install(r dkms.Ref, it *item) {
	s := Step{Verb: Install, Ref: r, Why: because(it.target.Why, it.install), Holds: holds(r), Force: it.target.Force}
	if old, ok := d.ix.active[slotOf(r)]; ok && old != r {
		s.Why = because(it.target.Why, "takes the place of "+old.Package.String())
	}
	if it.build != "" {
		s.Needs = append(s.Needs, Step{Verb: Build, Ref: r}.ID())
	} else {
		s.Needs = append(s.Needs, d.registered(it.target)...)
	}
	for _, p := range d.work.depends(r) {
		if d.work.items[p].install != "" {
			s.Needs = append(s.Needs, Step{Verb: Install, Ref: p}.ID())
		}
	}
	d.add(s)
}

// lower makes the steps of Uninstall, Unbuild and Remove, and the notes of
// targets that have none.
func (d *draft) lower() {
	for _, r := range d.goals.dnOrder {
		t := d.goals.down[r]
		if note, refused := d.refuses(t); refused {
			d.notes.addOf(r, note)
			continue
		}
		if r.KernelID != (dkms.KernelID{}) {
			d.takeAway(t)
		}
	}
	for _, r := range d.goals.dnOrder {
		t := d.goals.down[r]
		if _, refused := d.refuses(t); !refused && t.Goal == dkms.Absent {
			d.unregister(t)
		}
	}
}

func (d *draft) refuses(t Target) (Note, bool) {
	if t.NotReady != nil {
		return *t.NotReady, true
	}
	if d.work.broken(t.Ref) && !t.Force {
		return Note{Reason: BrokenSource, Text: d.ix.packages[t.Ref.Package].Broken}, true
	}
	return Note{}, false
}

// takeAway makes the steps that bring one Ref down. A version whose place
// another one takes is not uninstalled first: it stays until the other is in,
// and stays for good if that fails.
func (d *draft) takeAway(t Target) {
	r := t.Ref
	have := d.ix.state(r)
	by := d.work.installed(slotOf(r))
	var needs []StepID
	switch {
	case have == dkms.Installed && by != dkms.Ref{}:
		needs = []StepID{Step{Verb: Install, Ref: by}.ID()}
	case have == dkms.Installed:
		needs = []StepID{d.add(Step{Verb: Uninstall, Ref: r, Why: because(t.Why, "it is installed"), Holds: holds(r), Force: t.Force})}
	}
	switch {
	case have >= dkms.Built && t.Goal < dkms.Built:
		d.add(Step{Verb: Unbuild, Ref: r, Why: because(t.Why, "it is built"), Needs: needs, Force: t.Force})
	case have < dkms.Built && t.Goal != dkms.Absent:
		d.notes.add(r, UpToDate, "not built for this kernel")
	case have == dkms.Built && t.Goal == dkms.Built:
		d.notes.add(r, UpToDate, "not installed")
	case have == dkms.Installed && by != dkms.Ref{}:
		d.notes.add(r, UpToDate, by.Package.String()+" takes its place")
	}
}

// unregister removes the package of t, whose goal is Absent, if nothing is left
// of it after the steps there are.
func (d *draft) unregister(t Target) {
	p := t.Ref.Package
	var gone []StepID
	left := 0
	for _, r := range d.ix.sorted {
		if r.Package != p {
			continue
		}
		if id := (Step{Verb: Unbuild, Ref: r}).ID(); d.has(id) {
			gone = append(gone, id)
		} else {
			left++
		}
	}
	_, registered := d.ix.packages[p]
	switch {
	case registered && left == 0 && !d.goals.raised[p]:
		d.add(Step{Verb: Remove, Ref: dkms.Ref{Package: p}, Why: because(t.Why, "not built for any other kernel"), Needs: gone, Force: t.Force})
	case d.has(Step{Verb: Unbuild, Ref: t.Ref}.ID()):
	case d.goals.raised[p] || left > 0 && t.Ref.KernelID == (dkms.KernelID{}):
		d.notes.add(t.Ref, Conflict, "asked for and asked to go: it stays")
	case !registered:
		d.notes.add(t.Ref, UpToDate, "not registered")
	default:
		d.notes.add(t.Ref, UpToDate, "not built for this kernel")
	}
}

func (d *draft) has(id StepID) bool {
	_, ok := d.steps[id]
	return ok
}

// changes maps each kernel whose modules change to the steps that change them.
func (d *draft) changes() map[dkms.KernelID][]StepID {
	changes := map[dkms.KernelID][]StepID{}
	for id, s := range d.steps {
		if s.Verb == Install || s.Verb == Uninstall {
			changes[s.Ref.KernelID] = append(changes[s.Ref.KernelID], id)
		}
	}
	return changes
}

// depmod adds a Depmod for each kernel whose modules change.
func (d *draft) depmod() {
	for k, ids := range d.changes() {
		why := "its modules change"
		if len(ids) > 1 {
			why = fmt.Sprintf("its modules change, %d times", len(ids))
		}
		d.add(Step{Verb: Depmod, Ref: dkms.Ref{KernelID: k}, Why: why, After: ids, Holds: []string{modulesOf(k)}})
	}
}

// initramfs adds an Initramfs for each kernel whose modules change, after its
// Depmod: what makes one reads modules.dep.
func (d *draft) initramfs() {
	for k, ids := range d.changes() {
		if id := (Step{Verb: Depmod, Ref: dkms.Ref{KernelID: k}}).ID(); d.has(id) {
			ids = append(ids, id)
		}
		d.add(Step{Verb: Initramfs, Ref: dkms.Ref{KernelID: k}, Why: "it may hold modules that change", After: ids, Holds: []string{"initramfs"}})
	}
}

// postTransaction adds the PostTransaction if a kernel's modules change.
func (d *draft) postTransaction() {
	ids := slices.Collect(maps.Keys(d.steps))
	changes := func(id StepID) bool {
		v := d.steps[id].Verb
		return v == Install || v == Uninstall
	}
	if slices.ContainsFunc(ids, changes) {
		d.add(Step{Verb: PostTransaction, Why: "the modules of a kernel change", After: ids})
	}
}

// holds are the directories that an Install or Uninstall of r changes: those
// of the kernel's modules and of the name's originals. Empty ones are removed,
// which must not happen while another step is about to use them.
func holds(r dkms.Ref) []string { return []string{modulesOf(r.KernelID), "originals " + r.Name} }

func modulesOf(k dkms.KernelID) string { return "modules " + k.String() }

// because joins the event and the reason.
func because(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), ": ")
}
