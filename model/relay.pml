/* The relay protocol of packages/outbox, with writers, broker, consumer and faults around it: see README.md.
   One source for all configurations (sizes and kinds of faults) and variants (one rule removed), chosen by -D. */
#include "state.pml"
#include "promises.pml"
#include "database.pml"
#include "environment.pml"

/* packages/outbox/sending.ts start, packages/outbox/hold.ts take, packages/outbox/lease.ts maySend: an event that may not be sent is forgotten with its key. */
inline start(r) {
  x = READY(r);
  y = x & MAY(r);
  if
  :: y > 0 -> printf("@ start %d %d\n", r, y); ONE_SENDER_OF(r, y)
  :: else -> printf("@ maySend %d %d\n", r, x)
  fi;
  waiting[r] = waiting[r] & ~y & ~KEYS_OF(x & ~y);
#ifdef SETTLE_BEFORE_SEND
  pending = pending & ~y; processed = processed | y;
  MUST(SETTLED, (y & ~sent) == 0);
#endif
  sending[r] = sending[r] | y;
  x = 0; y = 0;
  tidyUp(r)
}

/* packages/outbox/lanes.ts countRelays, packages/outbox/lanes.ts giveUp of what is drained, packages/outbox/lanes.ts takeFree up to the fair share. */
inline shareLanes(r, isAnswered) {
  x = 0; y = 0;
  for (i : 0 .. ROWS - 1) { if :: row[i] > 1 -> x++ :: else fi }
  x = (LANES + x - 1) / (x -> x : 1);
  owned[r] = 0; leaving[r] = 0;
  for (i : 0 .. LANES - 1) {
    if
    :: rowOf[r] > 0 && owner[i] == rowOf[r] && y < x -> owned[r] = owned[r] | BIT(i); y++
    :: rowOf[r] > 0 && owner[i] == rowOf[r] && y >= x ->
#ifdef HAND_OVER_BEFORE_DRAINED
      owner[i] = 0
#else
      if
      :: HELD(r) & EVENTS_OF(BIT(i)) -> owned[r] = owned[r] | BIT(i); leaving[r] = leaving[r] | BIT(i)
      :: else -> owner[i] = 0
      fi
#endif
    :: else
    fi
  }
  for (i : 0 .. LANES - 1) {
    if
    :: rowOf[r] > 0 && y < x && owner[i] == 0 && leaving[r] == 0 ->
      owner[i] = rowOf[r]; y++;
      if :: isAnswered -> owned[r] = owned[r] | BIT(i) :: else fi
    :: else
    fi
  }
  i = 0; x = 0; y = 0;
  printf("@ lanes %d %d %d\n", r, owned[r], leaving[r]);
  /* packages/outbox/hold.ts forgetWaiting, which packages/outbox/drain.ts balance does only after an answer. */
  if :: isAnswered -> waiting[r] = waiting[r] & READABLE(r) :: else fi;
  pc[r] = FREE;
  tidyUp(r)
}

inline ask(r) { due[r] = 0; askedLeft[r] = LEASE; pc[r] = ASKED; printf("@ balance %d\n", r) }

/* packages/outbox/lease.ts createLease, renewOrRegister within: the clock was read before the statement is sent. */
inline renewOrRegister(r) {
  if
  :: rowOf[r] > 0 && row[rowOf[r] - 1] > 1 -> z = rowOf[r] - 1; writeRow(z); z = 0; printf("@ renew %d\n", r)
  :: else -> owned[r] = 0; leaving[r] = 0; deadline[r] = 0; register(r); printf("@ register %d\n", r)
  fi;
  pc[r] = RENEWED
}

inline hear(r) {
  if :: clock[r] == JUMPED -> jumpedAhead[r] = LEASE :: else fi;
  clock[r] = IN_STEP;
#ifdef DEADLINE_FROM_ANSWER
  deadline[r] = LEASE;
#else
  deadline[r] = askedLeft[r];
#endif
  askedLeft[r] = 0; deleteDeadRelays(r); pc[r] = HEARD
}

inline freezeNow(r) { faults--; life[r] = FROZEN; printf("@ freeze %d\n", r) }

#define BALANCES(r) (LOOP(r) && rejected[r] == 0 && due[r] && stopping[r] == 0)
#define LOOP(r) (AWAKE(r) && pc[r] == FREE)

/* A process. What `drainOnce` does one after the other stands in that order; sends overlap with everything. */
proctype Relay(byte r) {
end:
  do
  /* packages/outbox/sending.ts sendBatch, packages/outbox/hold.ts accepted: an answer arrives. The broker had judged before. */
  :: d_step { AWAKE(r) && judged[r] > 0 ->
      x = LOWEST(judged[r]); judged[r] = judged[r] & ~x; accepted[r] = accepted[r] | x;
      printf("@ sendBatch %d %d\n", r, x);
#ifdef VERDICT_BY_ID
      if :: (x & SAME_ID) && (sending[r] & SAME_ID) -> accepted[r] = accepted[r] | (sending[r] & SAME_ID); sending[r] = sending[r] & ~SAME_ID :: else fi;
#endif
      x = 0; tidyUp(r) }
  :: d_step { AWAKE(r) && stopping[r] == 0 && READY(r) > 0 -> start(r) }
  /* SEND_TIMEOUT_MS: after a freeze the time of a send may be over; its request may still arrive. */
  :: d_step { AWAKE(r) && sending[r] > 0 && sendAge[r] > SEND_TIME ->
      printf("@ timeout %d %d\n", r, sending[r]);
      ghosts = ghosts | sending[r]; waiting[r] = waiting[r] | sending[r]; sending[r] = 0; tidyUp(r) }

#ifdef CLAIM_BESIDE_REJECTION
  /* The claim looks before the settlement commits, and its answer is added after the key was forgotten. */
  :: d_step { LOOP(r) && rejected[r] > 0 ->
      z = CLAIM(r); printf("@ settleRejected %d %d\n", r, rejected[r]); settleRejected(r);
      waiting[r] = (waiting[r] & ~KEYS_OF(rejected[r])) | z; rejected[r] = 0;
      if :: z > 0 -> printf("@ claimPending %d %d\n", r, z); remember(r, z) :: else fi;
      z = 0; tidyUp(r) }
#else
  :: d_step { LOOP(r) && rejected[r] > 0 ->
      printf("@ settleRejected %d %d\n", r, rejected[r]);
      settleRejected(r); waiting[r] = waiting[r] & ~KEYS_OF(rejected[r]); rejected[r] = 0; tidyUp(r) }
#endif
#ifdef DATABASE_ANSWERS_LOST
  :: d_step { LOOP(r) && rejected[r] > 0 && faults > 0 ->
      faults--; printf("@ settleRejected %d %d\n@ answerLost %d\n", r, rejected[r], r); settleRejected(r) }
#endif

  /* packages/outbox/lease.ts balance. It is one step here unless a freeze or a lost answer comes in between (or with -DFINE_STEPS). */
#ifndef FINE_STEPS
  :: d_step { BALANCES(r) -> ask(r); renewOrRegister(r); hear(r); shareLanes(r, true) }
#else
  :: d_step { BALANCES(r) -> ask(r) }
#endif
#ifdef FREEZES
  :: d_step { BALANCES(r) && faults > 0 -> ask(r); freezeNow(r) }
  :: d_step { BALANCES(r) && faults > 0 -> ask(r); renewOrRegister(r); freezeNow(r) }
  :: d_step { BALANCES(r) && faults > 0 -> ask(r); renewOrRegister(r); hear(r); freezeNow(r) }
#endif
  :: d_step { AWAKE(r) && pc[r] == ASKED -> renewOrRegister(r) }
  :: d_step { AWAKE(r) && pc[r] == RENEWED -> hear(r) }
  :: d_step { AWAKE(r) && pc[r] == HEARD -> shareLanes(r, true) }
#ifdef DATABASE_ANSWERS_LOST
  :: d_step { BALANCES(r) && faults > 0 -> faults--; due[r] = 0; printf("@ unreachable %d\n", r) }
  :: d_step { BALANCES(r) && faults > 0 ->
      faults--; ask(r); renewOrRegister(r); printf("@ answerLost %d\n", r); pc[r] = FREE; askedLeft[r] = 0 }
  :: d_step { BALANCES(r) && faults > 0 ->
      faults--; ask(r); renewOrRegister(r); hear(r); shareLanes(r, false); printf("@ answerLost %d\n", r) }
#endif

  /* packages/outbox/claim.ts claimPending, packages/outbox/claim.ts claimDue. */
  :: d_step { LOOP(r) && rejected[r] == 0 && due[r] == 0 && stopping[r] == 0 && CLAIM(r) > 0 ->
      x = CLAIM(r);
#ifdef CLAIM_WITH_GAPS
      if :: (x & KEY0 & ~LOWEST(x & KEY0)) -> x = x & ~LOWEST(x & KEY0) :: else fi;
#endif
      printf("@ claimPending %d %d\n", r, x); waiting[r] = waiting[r] | x; remember(r, x);
#ifdef CLAIM_AFTER_LAST_ID
      do :: x > 0 -> y = LOWEST(x); x = x & ~y :: else -> break od;
      lastId[r] = y; y = 0;
#endif
      x = 0 }
  :: d_step { LOOP(r) && rejected[r] == 0 && due[r] == 0 && stopping[r] == 0 && CLAIM_DUE(r) > 0 ->
      x = CLAIM_DUE(r); printf("@ claimDue %d %d\n", r, x); waiting[r] = waiting[r] | x; remember(r, x); x = 0 }

  :: d_step { LOOP(r) && accepted[r] > 0 ->
      printf("@ settleAccepted %d %d\n", r, accepted[r]); settleAccepted(r); accepted[r] = 0; tidyUp(r) }
#ifdef DATABASE_ANSWERS_LOST
  :: d_step { LOOP(r) && accepted[r] > 0 && faults > 0 ->
      faults--; printf("@ settleAccepted %d %d\n@ answerLost %d\n", r, accepted[r], r); settleAccepted(r) }
#endif

  /* packages/outbox/relay.ts run, after the signal: sends end, what they brought is settled, and only then the lanes are free. */
#ifdef STOPS
#ifdef RELEASE_BEFORE_SENDS_ENDED
  :: d_step { AWAKE(r) && stopping[r] ->
      ghosts = ghosts | sending[r]; printf("@ deregister %d\n", r);
      if :: rowOf[r] > 0 -> z = rowOf[r] - 1; deleteRow(z); z = 0 :: else fi;
      stopping[r] = 0; owned[r] = 0; leaving[r] = 0; deadline[r] = 0; pc[r] = FREE; waiting[r] = 0 }
#else
  :: d_step { LOOP(r) && stopping[r] && (ON_THE_WAY(r) | accepted[r] | rejected[r]) == 0 ->
      printf("@ deregister %d\n", r);
      if :: rowOf[r] > 0 -> z = rowOf[r] - 1; deleteRow(z); z = 0 :: else fi;
      die(r) }
#endif
#endif

  :: d_step { life[r] == FROZEN -> life[r] = UP; printf("@ wakes %d\n", r) }
  :: d_step { life[r] == DOWN -> life[r] = UP; due[r] = 1; printf("@ begins %d\n", r) }
  od
}

init {
  d_step {
    /* The first events are there; the others are written by transactions that take their time. */
    committed = WRITTEN; pending = WRITTEN;
    for (i : 0 .. RELAYS - 1) { due[i] = 1 }
    i = 0
  }
  atomic {
    for (who : 0 .. RELAYS - 1) { run Relay(who) }
    who = 0;
    run Broker(); run Clock(); run World();
#ifdef STANDARD_QUEUE
    run Consumer();
#endif
  }
}

#ifdef LIVENESS
ltl leaves { <>[] ((pending | failed | inQueue) == 0) }
#endif
