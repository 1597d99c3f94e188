package bench

// A Growth is how the time of plan and of status grows with the number of
// packages, for a number of kernels.
type Growth struct {
	What    string  `json:"what"` // plan, status
	Kernels int     `json:"kernels"`
	Points  []Point `json:"points"`
}
