package bench

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// median returns the middle one; of an even number, the mean of the middle two.
// There must be one.
func median(values []int64) int64 {
	s := slices.Sorted(slices.Values(values))
	low, high := s[(len(s)-1)/2], s[len(s)/2]
	return low + (high-low)/2
}

// MedianCost takes the median of each figure by itself.
func MedianCost(costs []Cost) Cost {
	pick := func(figure func(Cost) int64) int64 {
		values := make([]int64, len(costs))
		for i, c := range costs {
			values[i] = figure(c)
		}
		return median(values)
	}
	return Cost{
		Wall: time.Duration(pick(func(c Cost) int64 { return int64(c.Wall) })),
		CPU:  time.Duration(pick(func(c Cost) int64 { return int64(c.CPU) })),
		Peak: pick(func(c Cost) int64 { return c.Peak }),
	}
}

// A Point is how long something took for so many of them.
type Point struct {
	N    int           `json:"n"`
	Took time.Duration `json:"took"`
}

// Exponent fits took = c·n^k by least squares in logarithms, and returns k: 1
// is linear growth. What every run takes, however small, makes k too small
// where it weighs: see Last.
func Exponent(points []Point) float64 {
	var n, x, y, xx, xy float64
	for _, p := range points {
		lx, ly := math.Log(float64(p.N)), math.Log(p.Took.Seconds())
		n, x, y, xx, xy = n+1, x+lx, y+ly, xx+lx*lx, xy+lx*ly
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

// Last is the exponent between the two largest: there a constant weighs least,
// and growth that is worse than linear shows.
func Last(points []Point) float64 {
	sorted := slices.SortedFunc(slices.Values(points), func(a, b Point) int { return cmp.Compare(a.N, b.N) })
	return Exponent(sorted[len(sorted)-2:])
}
