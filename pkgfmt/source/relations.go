package source

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// relationKeys are the lists of relations, and where they go in each format.
// RPM has Conflicts for what Debian has Breaks for.
var relationKeys = []struct {
	name, about string
	deb, rpm    func(*pkgfmt.Relations) *[]string
}{
	{"depends", "What the package cannot do without", dependsOf, dependsOf},
	{"recommends", "What is installed with the package as a rule", recommendsOf, recommendsOf},
	{"suggests", "What makes the package more useful", suggestsOf, suggestsOf},
	{"conflicts", "What cannot be installed at the same time", conflictsOf, conflictsOf},
	{"breaks", "What does not work with the package unless it is upgraded, too; for RPM the same as conflicts", breaksOf, conflictsOf},
	{"replaces", "What the package takes the place of; for RPM Obsoletes", replacesOf, replacesOf},
	{"provides", "What the package is as good as", providesOf, providesOf},
}

func dependsOf(r *pkgfmt.Relations) *[]string    { return &r.Depends }
func recommendsOf(r *pkgfmt.Relations) *[]string { return &r.Recommends }
func suggestsOf(r *pkgfmt.Relations) *[]string   { return &r.Suggests }
func conflictsOf(r *pkgfmt.Relations) *[]string  { return &r.Conflicts }
func breaksOf(r *pkgfmt.Relations) *[]string     { return &r.Breaks }
func replacesOf(r *pkgfmt.Relations) *[]string   { return &r.Replaces }
func providesOf(r *pkgfmt.Relations) *[]string   { return &r.Provides }

// relations is a list of relations: one for both formats, whose elements are
// put into the words of each, or {deb: […], rpm: […]} in the words of each.
func relations(deb, rpm *[]string) value {
	return either{
		fields: mapping{[]key{
			{name: "deb", about: "As deb-control(5) has it: kmod (>= 30)", value: lines(deb, nil)},
			{name: "rpm", about: "As rpm-dependencies(7) has it: kmod >= 30", value: lines(rpm, nil)},
		}},
		other: list{func(int) value { return &relation{deb: deb, rpm: rpm} }},
	}
}

// A relation is NAME, or NAME OPERATOR VERSION, or several of these with | between.
type relation struct{ deb, rpm *[]string }

const relationPattern = `^[A-Za-z0-9][A-Za-z0-9+._()/-]*( *(\( *)?(<=|>=|=|<<|>>|<|>) *[0-9A-Za-z.+~:^-]+ *\)?)?( *\| *[A-Za-z0-9][A-Za-z0-9+._()/-]*( *(\( *)?(<=|>=|=|<<|>>|<|>) *[0-9A-Za-z.+~:^-]+ *\)?)?)*$`

var relationParts = regexp.MustCompile(`^([^ (<>=][^ <>=]*?) *(?:\(? *(<=|>=|=|<<|>>|<|>) *([^ )]+) *\)?)?$`)

func (v *relation) decode(d *decoder, n *yaml.Node) {
	var s string
	before := len(d.list)
	line{to: &s, pattern: relationPattern}.decode(d, n)
	if len(d.list) > before {
		if n.Kind == yaml.ScalarNode {
			d.list[len(d.list)-1].Text = "\"" + shortened(n.Value) + "\" is no relation such as kmod, kmod >= 30, or dracut | initramfs-tools"
		}
		return
	}
	var deb, rpm []string
	for alternative := range strings.SplitSeq(s, "|") {
		m := relationParts.FindStringSubmatch(strings.TrimSpace(alternative))
		if m == nil {
			d.wrong(n, "%q is no relation", s)
			return
		}
		if m[2] == "" {
			deb, rpm = append(deb, m[1]), append(rpm, m[1])
			continue
		}
		deb = append(deb, m[1]+" ("+strings.NewReplacer("<<", "<<", ">>", ">>", "<=", "<=", ">=", ">=", "<", "<<", ">", ">>").Replace(m[2])+" "+m[3]+")")
		rpm = append(rpm, m[1]+" "+strings.NewReplacer("<<", "<", ">>", ">").Replace(m[2])+" "+m[3])
	}
	*v.deb = append(*v.deb, strings.Join(deb, " | "))
	if len(rpm) > 1 {
		*v.rpm = append(*v.rpm, "("+strings.Join(rpm, " or ")+")")
		return
	}
	*v.rpm = append(*v.rpm, rpm...)
}

func (*relation) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": relationPattern}
}
