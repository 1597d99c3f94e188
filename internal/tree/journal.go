package tree

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/system"
)

// Transaction is a change of the kernel's directory and of the active link
// that has been made and can still be taken back. Exactly one of Commit and
// Undo is to be called; a process that ends before leaves it to Sweep, which
// takes it back.
type Transaction struct {
	tree Tree
	path string // of the journal
	log  journal
	over bool
}

// journal is a Transaction on disk. It is written before the first change, so
// that whatever was begun can be undone, and marked done before the first
// irrevocable step.
type journal struct {
	Schema  int      `json:"schema"`
	Ref     dkms.Ref `json:"ref"`
	Verb    string   `json:"verb"`
	Done    bool     `json:"done"`
	Changes []change `json:"changes"`
	Prune   []string `json:"prune,omitempty"` // directories to remove, if empty, in the end
}

// change is one step that can be undone.
type change struct {
	Op   string `json:"op"`
	Path string `json:"path"`
	New  string `json:"new,omitempty"` // put: the finished file, under its temporary name
	Old  string `json:"old,omitempty"` // put, drop: where the file that was there is kept; empty: none was
	To   string `json:"to,omitempty"`  // link: new target; empty removes the link
	From string `json:"from,omitempty"`
	// fill makes the file New; it is not needed again after a crash.
	fill func(path string) error
}

const (
	opMkdir = "mkdir" // make the directory Path
	opPut   = "put"   // New becomes Path
	opDrop  = "drop"  // Path goes
	opLink  = "link"  // the link Path points at To instead of From
)

const journalSchema = 1

// put plans that path gets the content that fill makes.
func (j *journal) put(path string, fill func(string) error) {
	c := change{Op: opPut, Path: path, New: hidden(path, newSuffix), fill: fill}
	if system.Exists(path) {
		c.Old = hidden(path, oldSuffix)
	}
	j.Changes = append(j.Changes, c)
}

func (j *journal) drop(path string) {
	j.Changes = append(j.Changes, change{Op: opDrop, Path: path, Old: hidden(path, oldSuffix)})
}

// mkdir plans the directories that are missing on the way to dir.
func (j *journal) mkdir(dir string) {
	var missing []string
	for ; !system.Exists(dir) && dir != "/"; dir = filepath.Dir(dir) {
		missing = append(missing, dir)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		c := change{Op: opMkdir, Path: missing[i]}
		if !j.has(c) {
			j.Changes = append(j.Changes, c)
		}
	}
}

func (j *journal) has(want change) bool {
	for _, c := range j.Changes {
		if c.Op == want.Op && c.Path == want.Path {
			return true
		}
	}
	return false
}

// touches reports whether path is already put or dropped.
func (j *journal) touches(path string) bool {
	return j.has(change{Op: opPut, Path: path}) || j.has(change{Op: opDrop, Path: path})
}

func (j *journal) link(path, to string) {
	from, _ := os.Readlink(path)
	j.Changes = append(j.Changes, change{Op: opLink, Path: path, To: to, From: from})
}

// run carries the journal out. On an error everything is as before.
func (t Tree) run(j journal) (*Transaction, error) {
	j.Schema = journalSchema
	name := strings.Join([]string{j.Ref.Name, j.Ref.Version, j.Ref.Release, j.Ref.Arch}, "!") + ".json"
	tx := &Transaction{tree: t, path: filepath.Join(t.journalDir(), name), log: j}
	if system.Exists(tx.path) {
		return nil, &dkms.Error{Object: j.Ref.String(), Problem: "an earlier change has neither been finished nor taken back",
			Hint: "see " + tx.path}
	}
	owed := system.Exists(filepath.Join(t.depmodDir(), j.Ref.Release))
	if err := t.needDepmod(j.Ref.Release); err != nil {
		return nil, problem(j.Ref.String(), "cannot be changed", err)
	}
	if err := tx.apply(); err != nil {
		err = problem(j.Ref.String(), j.Verb+" cannot be done", err)
		undo := tx.Undo()
		if undo == nil && !owed {
			undo = t.DepmodDone(j.Ref.Release) // no index has seen the change
		}
		return nil, errors.Join(err, undo)
	}
	return tx, nil
}

func (tx *Transaction) apply() error {
	if err := tx.write(); err != nil {
		return err
	}
	// All that takes space comes first: a full disk is met before anything
	// that a person could see has changed.
	for _, c := range tx.log.Changes {
		if c.Op == opMkdir {
			if err := tx.do(c, func() error { return mkdir(c.Path) }); err != nil {
				return err
			}
		}
	}
	for _, c := range tx.log.Changes {
		if c.Op == opPut {
			if err := tx.do(change{Op: "fill", Path: c.New}, func() error { return refill(c) }); err != nil {
				return err
			}
		}
	}
	for _, c := range tx.log.Changes {
		if err := tx.do(c, c.apply); err != nil {
			return err
		}
	}
	return tx.sync()
}

func (tx *Transaction) do(c change, fn func() error) error {
	if err := tx.tree.at(tx.log.Verb + " " + c.Op + " " + filepath.Base(c.Path)); err != nil {
		return err
	}
	return fn()
}

func mkdir(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// refill makes c.New, over what an earlier crash may have left there.
func refill(c change) error {
	if err := removeIf(c.New); err != nil {
		return err
	}
	// Another package's removal may have pruned the directory by now.
	if err := os.MkdirAll(filepath.Dir(c.New), 0o755); err != nil {
		return err
	}
	return c.fill(c.New)
}

func (c change) apply() error {
	switch c.Op {
	case opPut:
		if c.Old != "" {
			if err := keep(c.Path, c.Old); err != nil {
				return err
			}
		}
		return os.Rename(c.New, c.Path)
	case opDrop:
		return os.Rename(c.Path, c.Old)
	case opLink:
		return setLink(c.Path, c.To)
	}
	return nil
}

// keep gives the file at path a second name, so that there is no moment
// without it, or a copy where the file system knows no second names.
func keep(path, second string) error {
	if err := removeIf(second); err != nil {
		return err
	}
	if os.Link(path, second) == nil { // links themselves, too (link(2))
		return nil
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() == fs.ModeSymlink {
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		return os.Symlink(target, second)
	}
	return copyExact(path, second)
}

func setLink(path, target string) error {
	if target == "" {
		return removeIf(path)
	}
	temp := hidden(path, newSuffix)
	if err := removeIf(temp); err != nil {
		return err
	}
	if err := os.Symlink(target, temp); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

func (c change) undo() error {
	switch c.Op {
	case opMkdir:
		// Not empty: somebody else uses it by now.
		_ = os.Remove(c.Path)
	case opPut:
		err := os.Remove(c.New)
		switch {
		case err == nil: // it had not come to the renaming
			return removeIf(c.Old)
		case !isMissing(err):
			return err
		case c.Old == "":
			return removeIf(c.Path)
		}
		return moveBack(c.Old, c.Path)
	case opDrop:
		return moveBack(c.Old, c.Path)
	case opLink:
		return setLink(c.Path, c.From)
	}
	return nil
}

func removeIf(path string) error {
	if path == "" {
		return nil
	}
	if err := os.Remove(path); err != nil && !isMissing(err) {
		return err
	}
	return nil
}

func moveBack(old, path string) error {
	if err := os.Rename(old, path); err != nil && !isMissing(err) {
		return err
	}
	return nil
}

// Undo restores exactly what was before. Calling it again, or after Commit,
// does nothing.
func (tx *Transaction) Undo() error {
	if tx == nil || tx.over {
		return nil
	}
	tx.over = true
	var errs []error
	for i := len(tx.log.Changes) - 1; i >= 0; i-- {
		c := tx.log.Changes[i]
		if err := tx.do(change{Op: "undo " + c.Op, Path: c.Path}, c.undo); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return problem(tx.log.Ref.String(), tx.log.Verb+" cannot be taken back", err)
	}
	_ = tx.sync()
	return tx.forget()
}

// Commit makes the change final. An error means that only remnants, which
// Sweep will remove, are left.
func (tx *Transaction) Commit() error {
	if tx == nil || tx.over {
		return nil
	}
	tx.over = true
	tx.log.Done = true
	if err := tx.write(); err != nil {
		tx.over = false // still open: it can be undone
		tx.log.Done = false
		return problem(tx.log.Ref.String(), tx.log.Verb+" cannot be finished", err)
	}
	return tx.finish()
}

func (tx *Transaction) finish() error {
	for _, c := range tx.log.Changes {
		if c.Old == "" {
			continue
		}
		if err := tx.do(change{Op: "finish", Path: c.Old}, func() error { return removeIf(c.Old) }); err != nil {
			return problem(tx.log.Ref.String(), "left something behind", err)
		}
	}
	for _, dir := range tx.log.Prune {
		stop := tx.tree.KernelDir(tx.log.Ref.Release)
		if below(tx.tree.Dir, dir) {
			stop = filepath.Join(tx.tree.Dir, tx.log.Ref.Name)
		}
		system.PruneEmpty(dir, stop)
	}
	_ = tx.sync()
	return tx.forget()
}

// write puts the journal on disk.
func (tx *Transaction) write() error {
	if err := tx.tree.at(tx.log.Verb + " journal"); err != nil {
		return err
	}
	if err := os.MkdirAll(tx.tree.journalDir(), 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(tx.log, "", "\t")
	if err != nil {
		return err
	}
	return system.WriteFile(tx.path, append(data, '\n'), 0o600)
}

func (tx *Transaction) forget() error {
	if err := tx.tree.at(tx.log.Verb + " forget"); err != nil {
		return err
	}
	if err := removeIf(tx.path); err != nil {
		return problem(tx.path, "cannot be removed", err)
	}
	return nil
}

// sync makes the entries of every directory that was touched durable.
func (tx *Transaction) sync() error {
	done := map[string]bool{}
	for _, c := range tx.log.Changes {
		dir := filepath.Dir(c.Path)
		if done[dir] {
			continue
		}
		done[dir] = true
		if err := system.SyncDir(dir); err != nil && !isMissing(err) {
			return err
		}
	}
	return nil
}

// readJournal reads the journal at path for Sweep.
func (t Tree) readJournal(path string) (*Transaction, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	tx := &Transaction{tree: t, path: path}
	if err := json.Unmarshal(data, &tx.log); err != nil {
		return nil, err
	}
	if tx.log.Schema != journalSchema {
		return nil, &schemaError{tx.log.Schema, journalSchema}
	}
	for _, c := range tx.log.Changes {
		for _, p := range []string{c.Path, c.New, c.Old} {
			if p != "" && !below(t.Dir, p) && !below(t.InstallDir, p) {
				return nil, fmt.Errorf("%q lies outside the trees", p)
			}
		}
	}
	return tx, nil
}
