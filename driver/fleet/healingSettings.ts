import type { Config } from '../config/config';
import { DEFAULT_BREAKER } from '../domain/breaker';
import { DEFAULT_HEALING, type HealingSettings } from '../domain/healing';

/** The configuration has seconds and percents. */
export function healingSettings(given: Config['service_engine']): HealingSettings {
  return {
    ...DEFAULT_HEALING,
    moveAfter: given.heal_after * 1000,
    retireAfter: given.retire_after * 1000,
    cutAfter: given.cut_after * 1000,
    cutOverAfter: given.cut_over_after * 1000,
    breaker: {
      ...DEFAULT_BREAKER,
      enabled: given.mass_failure_breaker,
      share: given.mass_failure_share / 100,
      window: given.mass_failure_window * 1000,
      quiet: given.mass_failure_quiet * 1000,
    },
  };
}
