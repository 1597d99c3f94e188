package bench

import (
	"math"
	"testing"
	"time"
)

func TestMedianCost(t *testing.T) {
	t.Parallel()
	costs := []Cost{{Wall: 9, CPU: 1, Peak: 5}, {Wall: 1, CPU: 9, Peak: 7}, {Wall: 4, CPU: 2, Peak: 6}}
	if got, want := MedianCost(costs), (Cost{Wall: 4, CPU: 2, Peak: 6}); got != want {
		t.Errorf("MedianCost of three = %v; want %v", got, want)
	}
	if got, want := MedianCost(costs[:2]), (Cost{Wall: 5, CPU: 5, Peak: 6}); got != want {
		t.Errorf("MedianCost of two = %v; want %v", got, want)
	}
}

func TestExponent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		took      func(n float64) float64 // in seconds
		fit, last float64
	}{
		{"linear", func(n float64) float64 { return 0.003 * n }, 1, 1},
		{"square", func(n float64) float64 { return 0.001 * n * n }, 2, 2},
		{"constant", func(float64) float64 { return 0.02 }, 0, 0},
		{"linear from 10 on, then square", func(n float64) float64 { return 0.001 * n * max(1, n/100) }, 1.3, 2},
	} {
		var points []Point
		for _, n := range []int{1000, 1, 100, 10} {
			points = append(points, Point{n, time.Duration(c.took(float64(n)) * 1e9)})
		}
		if got := Exponent(points); math.Abs(got-c.fit) > 0.01 {
			t.Errorf("%s: Exponent = %.3f; want %.2f", c.name, got, c.fit)
		}
		if got := Last(points); math.Abs(got-c.last) > 0.01 {
			t.Errorf("%s: Last = %.3f; want %.2f", c.name, got, c.last)
		}
	}
}
