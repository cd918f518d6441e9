/** What is not needed at once: it is fetched with the first look, and drawn when it is here. */
import './actions/confirm';
import './actions/deploy';
import './actions/key';
import './parts/evidence';
import './parts/tip-box';

export { allEvents } from './parts/all-events';
export { failure } from './parts/failure';
export { asTable } from './parts/timeline-table';
export { vmTable } from './parts/vm-table';
export { empty } from './views/empty';
export { notifications } from './views/notifications';
export { queued } from './views/queued';
