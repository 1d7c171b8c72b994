/** The last `size` numbers of a measurement and what they say. */
export class RollingStatistics {
  constructor(size) {
    this.size = size;
    this.values = [];
  }

  add(value) {
    this.values.push(value);
    if (this.values.length > this.size) this.values.shift();
  }

  /** Rounded to 0.1; null where nothing was measured yet. */
  summary() {
    const { values } = this;
    if (values.length === 0) return { average: null, last: null, min: null, max: null, p50: null, p95: null, count: 0 };
    const sorted = [...values].sort((a, b) => a - b);
    const at = (share) => tenth(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
    return {
      average: tenth(values.reduce((sum, value) => sum + value, 0) / values.length),
      last: tenth(values.at(-1)),
      min: tenth(sorted[0]),
      max: tenth(sorted.at(-1)),
      p50: at(0.5),
      p95: at(0.95),
      count: values.length,
    };
  }
}

export const tenth = (value) => Math.round(value * 10) / 10;
