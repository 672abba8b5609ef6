import { tenancyInForce } from '../../driver/domain/group';
import { applyGroupFields, newGroupProperties, tenancyRefusal } from '../../driver/domain/groupFields';

const made = (fields: Record<string, unknown>, mode: 'tenant' | 'service' | 'single') =>
  applyGroupFields(newGroupProperties(fields, mode), fields);

describe('the tenancy of a group', () => {
  it('is that of the mode where nothing is said, and then boots nothing ahead for users', () => {
    expect(made({}, 'service')).toMatchObject({ tenancy: 'shared', bufferEngines: 1 });
    expect(made({}, 'single')).toMatchObject({ tenancy: 'shared', bufferEngines: 1 });
    expect(made({}, 'tenant')).toMatchObject({ tenancy: 'tenant', bufferEngines: 0 });
    expect(made({ tenancy: 'tenant' }, 'service')).toMatchObject({ tenancy: 'tenant', bufferEngines: 0 });
    expect(made({ buffer_se: 2 }, 'tenant')).toMatchObject({ tenancy: 'tenant', bufferEngines: 2 });
  });

  it.each([
    ['shared', 'tenant', /can only be tenant here/],
    ['exclusive', 'tenant', /can only be tenant here/],
    ['tenant', 'single', /cannot be tenant here/],
  ] as const)('cannot be %s in the mode %s', (tenancy, mode, why) => {
    expect(tenancyRefusal(made({ tenancy }, mode), mode)).toMatch(why);
  });

  it.each([
    ['tenant', 'tenant'],
    ['shared', 'service'],
    ['exclusive', 'service'],
    ['tenant', 'service'],
    ['exclusive', 'single'],
  ] as const)('can be %s in the mode %s', (tenancy, mode) => {
    expect(tenancyRefusal(made({ tenancy }, mode), mode)).toBeUndefined();
  });

  it('of a group from before the mode comes to what the mode says', () => {
    expect(tenancyInForce('shared', 'tenant')).toBe('tenant');
    expect(tenancyInForce('tenant', 'single')).toBe('shared');
    expect(tenancyInForce('exclusive', 'service')).toBe('exclusive');
  });
});
