/** Preloaded (`node --require`): the clock of this process is `CLOCK_SHIFT` milliseconds off, as that of a machine may be. */
const shift = Number(process.env.CLOCK_SHIFT ?? 0);
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + shift);
    else super(...given);
  }

  static now() {
    return RealDate.now() + shift;
  }
};
