/* What must hold at every moment. A broken promise ends the run; the runner reads which one from the line it prints. */
#define ONE_SENDER 1
#define SETTLED 2
#define ORDER 3
#define INVENTED 4
#define ONCE 5
#define LOST 6
#define VERDICT 7
#define STATE_GOES_BACK 8

#define MUST(promise, condition) \
  if \
  :: (condition) \
  :: else -> printf("@ broken %d\n", promise); assert(promise == 0) \
  fi

/* Before relay r starts to send `set`: no other relay may send in these lanes, or is within the time of such a send. */
#ifdef ALLOW_TWO_SENDERS
#define ONE_SENDER_OF(r, set)
#else
#define ONE_SENDER_OF(r, set) \
  for (i : 0 .. RELAYS - 1) { \
    MUST(ONE_SENDER, i == r || life[i] == DOWN || (LANES_OF(set) & \
      (MAY(i) | ((sendAge[i] <= SEND_TIME) -> ON_THE_WAY(i) : 0))) == 0) \
  } \
  i = 0
#endif

/* packages/inbox/record.ts record: a known event id changes nothing. */
inline record(e) {
  if
#ifndef NO_DUPLICATE_CHECK
  :: known & (e) -> printf("@ duplicate %d\n", e)
#endif
  :: else ->
    printf("@ record %d\n", e);
    MUST(ONCE, (known & (e)) == 0);
#ifndef STANDARD_QUEUE
    /* A queue that keeps the order hands over what it accepted in the order of accepting, so that it is checked here. */
    MUST(ORDER, (EARLIER(e) & committed & ~(known | outOfOrder)) == 0);
#endif
    known = known | (e)
  fi
}

inline brokerAccepts(e) {
  MUST(INVENTED, ((committed | lost) & (e)) > 0);
  sent = sent | (e);
#ifdef STANDARD_QUEUE
  inQueue = inQueue | (e)
#else
  record(e)
#endif
}
