package conf

import (
	"maps"
	"slices"
	"strings"
)

// Directives are the values of a dkms.conf's directives: name, index, value.
// Directives are bash arrays and may be sparse; a scalar is index 0.
type Directives map[string]Array

// Array is one directive's values by index.
type Array map[int]string

// Get returns the value of name[0], or "".
func (d Directives) Get(name string) string { return d[name][0] }

// Set sets name[index].
func (d Directives) Set(name string, index int, value string) {
	if d[name] == nil {
		d[name] = Array{}
	}
	d[name][index] = value
}

// Indexes returns the indexes that are set, in order.
func (a Array) Indexes() []int { return slices.Sorted(maps.Keys(a)) }

// Max returns the highest index, or -1.
func (a Array) Max() int {
	highest := -1
	for i := range a {
		highest = max(highest, i)
	}
	return highest
}

// directiveNames are the directives of dkms(8) 3.x, the deprecated ones
// included, because overrides and --directive may name them.
var directiveNames = []string{
	"AUTOINSTALL",
	"BUILD_DEPENDS",
	"BUILD_DEPENDS_REBUILD",
	"BUILD_EXCLUSIVE_ARCH",
	"BUILD_EXCLUSIVE_CONFIG",
	"BUILD_EXCLUSIVE_KERNEL",
	"BUILD_EXCLUSIVE_KERNEL_MAX",
	"BUILD_EXCLUSIVE_KERNEL_MIN",
	"BUILT_MODULE_LOCATION",
	"BUILT_MODULE_NAME",
	"CLEAN",
	"DEST_MODULE_LOCATION",
	"DEST_MODULE_NAME",
	"MAKE",
	"MAKE_MATCH",
	"MODPROBE_ON_INSTALL",
	"MODULES_CONF",
	"MODULES_CONF_ALIAS_TYPE",
	"MODULES_CONF_OBSOLETES",
	"MODULES_CONF_OBSOLETE_ONLY",
	"NO_WEAK_MODULES",
	"OBSOLETE_BY",
	"PACKAGE_NAME",
	"PACKAGE_VERSION",
	"PATCH",
	"PATCH_MATCH",
	"POST_ADD",
	"POST_BUILD",
	"POST_INSTALL",
	"POST_REMOVE",
	"PRE_BUILD",
	"PRE_INSTALL",
	"REMAKE_INITRD",
	"STRIP",
}

// splitDirective splits --directive's NAME=VALUE or NAME[INDEX]=VALUE.
func splitDirective(s string) (name, index, value string, ok bool) {
	left, value, ok := strings.Cut(s, "=")
	if !ok {
		return "", "", "", false
	}
	name, index = left, "0"
	if open := strings.IndexByte(left, '['); open > 0 && strings.HasSuffix(left, "]") {
		name, index = left[:open], left[open+1:len(left)-1]
	}
	return name, index, value, name != ""
}
