package ko

import (
	"bytes"
	"fmt"
)

// tail keeps the end of what a program printed, to say why it failed.
type tail struct{ data []byte }

const tailLimit = 4 << 10

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if n := len(t.data) - tailLimit; n > 0 {
		t.data = append(t.data[:0], t.data[n:]...)
	}
	return len(p), nil
}

// explain adds the last line that was printed to err.
func (t *tail) explain(err error) error {
	text := bytes.TrimSpace(t.data)
	if i := bytes.LastIndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	if len(text) == 0 {
		return err
	}
	return fmt.Errorf("%w: %s", err, printable(string(text)))
}
