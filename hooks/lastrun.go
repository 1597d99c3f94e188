package hooks

import (
	"bytes"
	"os"
	"slices"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/record"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/report/page"
)

// lastRun shows the last run that did something: in lines, with --json its
// record as it is, with --html as a page. It takes no lock and changes nothing.
func (r *run) lastRun() error {
	path, text, err := r.lastRecord()
	if err != nil {
		return err
	}
	last, err := record.Decode(text)
	if err != nil {
		return &dkms.Error{Object: path, Problem: "cannot be understood", Err: err}
	}
	switch {
	case r.call.HTML != "":
		return r.page(last)
	case r.call.JSON:
		_, err := r.Stdout.Write(text)
		return err
	}
	return report.Run(r.Stdout, last)
}

// lastRecord reads the newest record.
func (r *run) lastRecord() (path string, text []byte, err error) {
	paths, err := r.machine.Tree.Runs()
	if err != nil {
		return "", nil, err
	}
	if len(paths) == 0 {
		return "", nil, &dkms.Error{Object: r.machine.Tree.Dir, Problem: "no run has been recorded",
			Hint: "what builds, installs or removes something leaves a record; dkms-hook status shows what is there"}
	}
	path = slices.Max(paths)
	if text, err = os.ReadFile(path); err != nil {
		return path, nil, &dkms.Error{Object: path, Problem: "cannot be read", Err: err}
	}
	return path, text, nil
}

// page writes a page about last, with the states as they are now.
func (r *run) page(last record.Run) error {
	have, err := r.scan()
	if err != nil {
		return err
	}
	var rows []report.Row
	r.console.Quietly(func() { rows, err = r.rows(&have) })
	if err != nil {
		return err
	}
	in := page.Input{Run: last, Rows: rows}
	if r.call.Root == "" { // in there it is another's
		in.Host, _ = os.Hostname()
	}
	var text bytes.Buffer
	if err := page.Page(&text, in); err != nil {
		return err
	}
	if err := r.output(r.call.HTML, text.Bytes()); err != nil {
		return notWritten("--html "+r.call.HTML, err)
	}
	return nil
}
