import { describeRows } from './describeRows';
import { insertHeaderRows } from './rows/insertHeaders';
import { listenerRows } from './rows/listener';
import { listenerLimitRows } from './rows/listenerLimits';

describeRows('listeners', [...listenerRows, ...listenerLimitRows, ...insertHeaderRows], { vipCidr: '127.110.0.0/24' });
