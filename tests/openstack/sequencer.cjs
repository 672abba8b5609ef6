const Sequencer = require('@jest/test-sequencer').default;

const LAST = 'leftovers.cloud.ts';

/** By name, and the suite that looks for leftovers after all the others. */
module.exports = class extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => (path.endsWith(LAST) ? 1 : 0);
    return [...tests].sort((one, other) => rank(one) - rank(other) || one.path.localeCompare(other.path));
  }
};
