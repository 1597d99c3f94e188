package read

import (
	"encoding/json"
	"io"
)

// Schema is Report.Schema. It rises when a field changes its meaning or goes.
const Schema = 1

// A Report is what Inspect found out; docs/inspect-json.md describes its JSON
// form. Its strings are as in the package, see Visible. Lists are never nil.
type Report struct {
	Schema int    `json:"schema"`
	File   string `json:"file"`
	Format string `json:"format"`

	Name     string `json:"name"`
	Version  string `json:"version"`
	Epoch    int    `json:"epoch"`
	Upstream string `json:"upstream"`
	Revision string `json:"revision"`
	Arch     string `json:"arch"`

	Summary     string `json:"summary"`
	Description string `json:"description"`
	License     string `json:"license"`
	Homepage    string `json:"homepage"`
	Maintainer  string `json:"maintainer"`
	Vendor      string `json:"vendor"`
	Section     string `json:"section"`
	Source      string `json:"source"`
	Built       string `json:"built,omitempty"`
	Size        int64  `json:"size"`
	Compression string `json:"compression"`

	Signatures []SignatureReport `json:"signatures"`
	Fields     []FieldReport     `json:"fields"`
	Relations  []RelationReport  `json:"relations"`
	Scripts    []ScriptReport    `json:"scripts"`
	Triggers   []TriggerReport   `json:"triggers"`
	Files      []FileReport      `json:"files"`
	Change     *ChangeReport     `json:"change,omitempty"`
	Modules    []ModuleReport    `json:"modules"`
	Sources    []SourceReport    `json:"sources"`
}

// WriteJSON writes the report as docs/inspect-json.md has it.
func (r *Report) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false) // a person's address is no markup
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// SignatureReport is a Signature.
type SignatureReport struct {
	Over      string `json:"over"`
	Algorithm string `json:"algorithm"`
	Key       string `json:"key"`
	Time      string `json:"time,omitempty"`
	Problem   string `json:"problem,omitempty"`
}

// FieldReport is a Field.
type FieldReport struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// RelationReport is a Relation.
type RelationReport struct {
	Kind string   `json:"kind"`
	Text string   `json:"text"`
	When []string `json:"when"`
}

// ScriptReport is a Script.
type ScriptReport struct {
	Name    string `json:"name"`
	Program string `json:"program"`
	Text    string `json:"text"`
}

// TriggerReport is a Trigger.
type TriggerReport struct {
	Kind     string   `json:"kind"`
	Names    []string `json:"names"`
	Program  string   `json:"program,omitempty"`
	Text     string   `json:"text,omitempty"`
	Priority int64    `json:"priority,omitempty"`
}

// FileReport is a File.
type FileReport struct {
	Path   string   `json:"path"`
	Mode   string   `json:"mode"`
	Size   int64    `json:"size"`
	Owner  string   `json:"owner"`
	Group  string   `json:"group"`
	Time   string   `json:"time,omitempty"`
	Target string   `json:"target,omitempty"`
	Link   string   `json:"link,omitempty"`
	Digest string   `json:"digest,omitempty"`
	Flags  []string `json:"flags"`
}

// ChangeReport is the newest entry of a changelog.
type ChangeReport struct {
	Version string   `json:"version"`
	Author  string   `json:"author"`
	Time    string   `json:"time,omitempty"`
	Lines   []string `json:"lines"`
}

// ModuleReport is what a .ko in the package says of itself.
type ModuleReport struct {
	Path        string   `json:"path"`
	Name        string   `json:"name"`
	Version     string   `json:"version"`
	Description string   `json:"description"`
	License     string   `json:"license"`
	Release     string   `json:"release"`
	Vermagic    string   `json:"vermagic"`
	SrcVersion  string   `json:"srcversion"`
	Depends     []string `json:"depends"`
	Firmware    []string `json:"firmware"`
	Aliases     int      `json:"aliases"`

	Signed  bool   `json:"signed"`
	Signer  string `json:"signer,omitempty"`
	Key     string `json:"key,omitempty"`
	Hash    string `json:"hash,omitempty"`
	Needs   int    `json:"needs"`
	CRCs    int    `json:"crcs"`
	Exports int    `json:"exports"`

	// Needed and Exported are there on request: Options.Symbols.
	Needed   []SymbolReport `json:"needed,omitempty"`
	Exported []SymbolReport `json:"exported,omitempty"`
	// Problem tells why the fields above are empty, or the signature's.
	Problem string `json:"problem,omitempty"`
}

// SymbolReport is a symbol, with its CRC where the module has one.
type SymbolReport struct {
	Name string `json:"name"`
	CRC  string `json:"crc,omitempty"`
}

// SourceReport is a source of DKMS modules in the package, /usr/src/NAME-VER.
type SourceReport struct {
	Dir         string         `json:"dir"`
	Name        string         `json:"name"`
	Version     string         `json:"version"`
	Autoinstall bool           `json:"autoinstall"`
	Modules     []BuiltReport  `json:"modules"`
	Depends     []string       `json:"depends"`
	Warnings    []string       `json:"warnings"`
	Problems    []string       `json:"problems"`
	Kernels     []KernelReport `json:"kernels"`
}

// BuiltReport is a module that a dkms.conf promises.
type BuiltReport struct {
	Built    string `json:"built"`
	BuiltDir string `json:"built_dir"`
	Dest     string `json:"dest"`
	DestDir  string `json:"dest_dir"`
	Strip    bool   `json:"strip"`
	// Excluded is why it is not built for the kernel.
	Excluded string `json:"excluded,omitempty"`
}

// KernelReport is what a dkms.conf means for one kernel.
type KernelReport struct {
	Release  string        `json:"release"`
	Arch     string        `json:"arch"`
	Headers  bool          `json:"headers"`
	Excluded string        `json:"excluded,omitempty"`
	Make     string        `json:"make"`
	Modules  []BuiltReport `json:"modules"`
	Patches  []string      `json:"patches"`
	Depends  []string      `json:"depends"`
	// Scripts are PRE_BUILD and the like; Program is the command line.
	Scripts  []CommandReport `json:"scripts"`
	Problems []string        `json:"problems"`
}

// CommandReport is a script that a dkms.conf names.
type CommandReport struct {
	Name    string `json:"name"`
	Command string `json:"command"`
}
