import type { Placement } from '../../driver/domain/tree';
import { servingEngines } from '../../driver/reconcile/contrailWiring';

function placement(engineId: string, over: Partial<Placement['engine']> = {}): Placement {
  return {
    ...{ id: engineId, engineId, role: 'primary', deleting: false, stale: false, wantedGeneration: 1, wantedEpoch: 1 },
    ...{ confirmedGeneration: 1, refusals: [], refused: false, request: null, requestId: null, requestTarget: null },
    draining: false,
    engine: { status: 'READY', deleting: false, connected: true, managementAddress: null, ...over },
  };
}

const cut = placement('cut', { cut: true });
const well = placement('well');

it('leads traffic to an engine that is cut only while there is no other', () => {
  expect(servingEngines({ placements: [cut, well] }, [])).toEqual(['well']);
  expect(servingEngines({ placements: [cut] }, [])).toEqual(['cut']);
  expect(servingEngines({ placements: [cut, well] }, [well])).toEqual(['cut']);
});

it('leaves both of a pair wired, and all while a group is to stay as it is', () => {
  expect(servingEngines({ placements: [cut, well], masterTerm: 3 }, [])).toEqual(['cut', 'well']);
  expect(servingEngines({ placements: [cut, well] }, [], { holdsStill: true })).toEqual(['cut', 'well']);
});
