import { CONTRAIL_LEFT_OUT } from './leftOut';
import { readContrailRecording } from './recording';
import { replayContrail } from './replay';

/** Where the recording is, unless the environment says otherwise: beside the project, not in it. */
export function contrailRecording(): string {
  return process.env['CONTRAIL_EXCHANGES'] || '../shared/data/contrail-exchanges.jsonl';
}

/** Plays the recording against the simulator and prints what differs; true if nothing does. */
export async function checkContrail(file: string, wanted: RegExp): Promise<boolean> {
  const verdicts = await replayContrail(readContrailRecording(file).filter(({ name }) => wanted.test(name)));
  const played = verdicts.filter(({ differences }) => differences !== undefined);
  const different = played.filter(({ differences = [] }) => differences.length > 0);
  for (const { name, differences = [] } of different) console.log([`## ${name}`, ...differences].join('\n   '));
  const exchanges = played.reduce((sum, { exchanges: count }) => sum + count, 0);
  const counts = `${played.length - different.length} scenarios the same, ${different.length} different`;
  console.log(`Contrail: ${counts} (${exchanges} exchanges), ${verdicts.length - played.length} left out`);
  for (const { names, why } of CONTRAIL_LEFT_OUT) console.log(`left out: ${names.source}: ${why}`);
  return different.length === 0;
}
