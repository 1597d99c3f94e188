package ko

import "testing"

func TestCompare(t *testing.T) {
	t.Parallel()
	tests := []struct {
		built, installed Module
		want             Relation
	}{
		{Module{Version: "1.0", SrcVersion: "A"}, Module{Version: "1.0", SrcVersion: "A"}, Same},
		{Module{Version: "1.0"}, Module{Version: "1.0"}, Same},
		{Module{SrcVersion: "A"}, Module{SrcVersion: "A"}, Same},
		{Module{Version: "1.0", SrcVersion: "A"}, Module{Version: "1.0", SrcVersion: "B"}, Unknown},
		{Module{Version: "1.0", SrcVersion: "A"}, Module{Version: "1.0"}, Unknown},
		{Module{Version: "1.10"}, Module{Version: "1.9"}, Older},
		{Module{Version: "1.9", SrcVersion: "A"}, Module{Version: "1.10", SrcVersion: "A"}, Newer},
		{Module{Version: "1.0"}, Module{Version: "1.0-rc1"}, Newer}, // version order, not sense
		{Module{Version: "1.0"}, Module{}, Unknown},
		{Module{}, Module{Version: "1.0"}, Unknown},
		{Module{}, Module{}, Unknown},
		{Module{SrcVersion: "A"}, Module{SrcVersion: "B"}, Unknown},
	}
	for _, tt := range tests {
		if got := Compare(&tt.built, &tt.installed); got != tt.want {
			t.Errorf("Compare(%q %q, %q %q) = %v; want %v", tt.built.Version, tt.built.SrcVersion, tt.installed.Version, tt.installed.SrcVersion, got, tt.want)
		}
	}
}
