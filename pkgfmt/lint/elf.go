package lint

import (
	"bytes"
	"debug/elf"
)

// hasDebug reports whether an object has DWARF.
func hasDebug(data []byte) (has bool) {
	defer func() {
		if recover() != nil { // debug/elf promises nothing for hostile files
			has = false
		}
	}()
	f, err := elf.NewFile(bytes.NewReader(data))
	return err == nil && (f.Section(".debug_info") != nil || f.Section(".zdebug_info") != nil)
}
