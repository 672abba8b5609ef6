import { HOUR } from './clock';
import { comparePolicies } from './policies';
import { describe } from './report';
import { largeCloud, smallCloud } from './scenario';
import { simulate } from './simulate';

/**
 * `npm run sim [-- --seed N] [--full]`: prints what a simulation has shown; fails when anything was ever untrue.
 * `--policies`: what ways to place load balancers and to keep engines free cost, in the small cloud.
 */

const args = process.argv.slice(2);
const given = args.indexOf('--seed');
const seed = given < 0 ? Math.floor(Math.random() * 1_000_000) : Number(args[given + 1]);
if (!Number.isInteger(seed)) throw new Error('--seed takes an integer');
const full = args.includes('--full');
const hoursAt = args.indexOf('--hours');
const hours = hoursAt < 0 ? (full ? 7 * 24 : 12) : Number(args[hoursAt + 1]);
if (!(hours > 0)) throw new Error('--hours takes a number');
const began = performance.now();
if (args.includes('--policies')) {
  const seeds = given < 0 ? [1, 2, 3, 4, 5, 6, 7, 8] : [seed];
  for (const line of comparePolicies(seeds, hours * HOUR)) console.log(line);
} else {
  const world = simulate(full ? largeCloud(seed, hours * HOUR) : smallCloud(seed, hours * HOUR));
  for (const line of describe(world)) console.log(line);
  process.exitCode = world.tally.violations.length > 0 ? 1 : 0;
}
console.log(`took ${((performance.now() - began) / 1000).toFixed(1)} s`);
