import { cpus, freemem, totalmem } from 'node:os';

/** Share of all cores in use since the last call, 0..100; the first call tells of the time since boot. */
export function createCpuMeter(): () => number {
  let last = { busy: 0, total: 0 };
  return () => {
    let busy = 0;
    let total = 0;
    for (const { times } of cpus()) {
      const sum = times.user + times.nice + times.sys + times.idle + times.irq;
      total += sum;
      busy += sum - times.idle;
    }
    const passed = total - last.total;
    const percent = passed <= 0 ? 0 : ((busy - last.busy) / passed) * 100;
    last = { busy, total };
    return Math.min(100, Math.max(0, percent));
  };
}

/** 0..100. */
export function memoryPercent(): number {
  return (1 - freemem() / totalmem()) * 100;
}
