import { existsSync } from 'node:fs';
import { contrailRecording } from './check';
import { readContrailRecording } from './recording';
import { replayContrail } from './replay';

const FILE = contrailRecording();

describe('the Contrail simulator', () => {
  if (!existsSync(FILE)) {
    it('has no recording to be held against here: CONTRAIL_EXCHANGES names one', () => {
      expect(existsSync(FILE)).toBe(false);
    });
    return;
  }
  const scenarios = readContrailRecording(FILE);
  const areas = [...new Set(scenarios.map(({ exchanges }) => exchanges[0]?.area ?? ''))];

  it.each(areas)(
    'answers as the recorded API server does: %s',
    async (area) => {
      const verdicts = await replayContrail(scenarios.filter(({ exchanges }) => exchanges[0]?.area === area));

      expect(verdicts.filter(({ differences }) => differences !== undefined && differences.length > 0)).toEqual([]);
      expect(verdicts.length).toBeGreaterThan(0);
    },
    120_000,
  );
});
