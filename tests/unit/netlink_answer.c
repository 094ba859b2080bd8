/* kernel/netlink_answer: every way an answer can end, and rubbish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/netlink_answer.h"

#define SEQUENCE 7
#define DATA	 NLMSG_MIN_TYPE

/* A datagram under construction. */
struct datagram {
	_Alignas(struct nlmsghdr) char bytes[1024];
	size_t size;
};

static struct nlmsghdr *add(struct datagram *datagram, uint16_t type, uint16_t flags,
			    const void *payload, size_t size)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(datagram->bytes + datagram->size);

	message->nlmsg_type = type;
	message->nlmsg_flags = flags;
	message->nlmsg_seq = SEQUENCE;
	memcpy(mnl_nlmsg_put_extra_header(message, size), payload, size);
	datagram->size += message->nlmsg_len;
	return message;
}

static void add_number(struct datagram *datagram, uint16_t type, uint16_t flags, int number)
{
	add(datagram, type, flags, &number, sizeof(number));
}

/* NLMSG_ERROR with a request of request_size bytes quoted (as its header alone when capped), and
 * the kernel's words. */
static void add_error(struct datagram *datagram, int code, size_t request_size, bool capped,
		      const char *words)
{
	char payload[sizeof(struct nlmsgerr) + 256] = {};
	struct nlmsgerr error = {.error = code,
				 .msg.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + request_size)};
	struct nlmsghdr *message;

	memcpy(payload, &error, sizeof(error));
	message = add(datagram, NLMSG_ERROR,
		      (uint16_t)((capped ? NLM_F_CAPPED : 0) | (words ? NLM_F_ACK_TLVS : 0)),
		      payload, sizeof(error) + (capped ? 0 : request_size));
	if (!words)
		return;
	datagram->size -= message->nlmsg_len;
	mnl_attr_put_strz(message, NLMSGERR_ATTR_MSG, words);
	datagram->size += message->nlmsg_len;
}

static int count_numbers(const struct nlmsghdr *message, void *data)
{
	int *sum = data;

	if (message->nlmsg_type != DATA || mnl_nlmsg_get_payload_len(message) != sizeof(int)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	*sum += *(const int *)mnl_nlmsg_get_payload(message);
	return MNL_CB_OK;
}

static void test_acknowledged(void **state)
{
	struct netlink_answer answer = {.sequence = SEQUENCE};
	struct datagram datagram = {};
	struct error error;

	(void)state;
	add_error(&datagram, 0, 0, true, NULL);
	netlink_answer_take(&answer, datagram.bytes, datagram.size);
	assert_true(answer.ended);
	assert_int_equal(netlink_answer_verdict(&answer, &error), 0);
}

static void test_the_kernels_words(void **state)
{
	struct error error;

	(void)state;
	for (size_t request_size = 0; request_size < 64; request_size++) {
		for (int capped = 0; capped < 2; capped++) {
			struct netlink_answer answer = {.sequence = SEQUENCE};
			struct datagram datagram = {};

			if (!capped && request_size % 4)
				continue; /* the kernel aligns what it quotes */
			add_error(&datagram, -ERANGE, request_size, capped, "too much");
			netlink_answer_take(&answer, datagram.bytes, datagram.size);
			assert_int_equal(netlink_answer_verdict(&answer, &error), -ERANGE);
			assert_string_equal(error.text, "too much (Numerical result out of range)");
		}
	}
}

static void test_error_without_words(void **state)
{
	struct netlink_answer answer = {.sequence = SEQUENCE};
	struct datagram datagram = {};
	struct error error;

	(void)state;
	add_error(&datagram, -EPERM, 16, false, NULL);
	netlink_answer_take(&answer, datagram.bytes, datagram.size);
	assert_int_equal(netlink_answer_verdict(&answer, &error), -EPERM);
	assert_string_equal(error.text, "Operation not permitted");
}

static void test_dump_of_many_datagrams(void **state)
{
	int sum = 0;
	struct netlink_answer answer = {
		.sequence = SEQUENCE, .callback = count_numbers, .data = &sum};
	struct error error;

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct datagram datagram = {};

		add_number(&datagram, DATA, NLM_F_MULTI, i);
		add_number(&datagram, DATA, NLM_F_MULTI, 1);
		add(&datagram, DATA, NLM_F_MULTI, "late", 4)->nlmsg_seq = SEQUENCE - 1;
		netlink_answer_take(&answer, datagram.bytes, datagram.size);
		assert_false(answer.ended);
	}
	struct datagram last = {};
	add_number(&last, NLMSG_DONE, NLM_F_MULTI, 0);
	netlink_answer_take(&answer, last.bytes, last.size);
	assert_true(answer.ended);
	assert_int_equal(netlink_answer_verdict(&answer, &error), 0);
	assert_int_equal(sum, 99 * 50 + 100);
}

static void test_dump_that_fails_at_its_end(void **state)
{
	struct netlink_answer answer = {.sequence = SEQUENCE};
	struct datagram datagram = {};
	struct error error;

	(void)state;
	add_number(&datagram, NLMSG_DONE, NLM_F_MULTI, -EOPNOTSUPP);
	netlink_answer_take(&answer, datagram.bytes, datagram.size);
	assert_int_equal(netlink_answer_verdict(&answer, &error), -EOPNOTSUPP);
}

static void test_inconsistent_dump(void **state)
{
	struct netlink_answer answer = {.sequence = SEQUENCE};
	struct datagram datagram = {};
	struct error error;

	(void)state;
	add_number(&datagram, DATA, NLM_F_MULTI | NLM_F_DUMP_INTR, 1);
	add_number(&datagram, NLMSG_DONE, NLM_F_MULTI, 0);
	netlink_answer_take(&answer, datagram.bytes, datagram.size);
	assert_int_equal(netlink_answer_verdict(&answer, &error), -EAGAIN);
}

/* The callback gets no more, but the answer is taken to its end. */
static void test_callback_refuses(void **state)
{
	int sum = 0;
	struct netlink_answer answer = {
		.sequence = SEQUENCE, .callback = count_numbers, .data = &sum};
	struct datagram datagram = {};
	struct error error;

	(void)state;
	add_number(&datagram, DATA, NLM_F_MULTI, 1);
	add(&datagram, DATA, NLM_F_MULTI, "longer", 6);
	add_number(&datagram, DATA, NLM_F_MULTI, 1);
	netlink_answer_take(&answer, datagram.bytes, datagram.size);
	assert_false(answer.ended);
	datagram.size = 0;
	add_number(&datagram, NLMSG_DONE, NLM_F_MULTI, -EPERM);
	netlink_answer_take(&answer, datagram.bytes, datagram.size);
	assert_true(answer.ended);
	assert_int_equal(netlink_answer_verdict(&answer, &error), -EBADMSG);
	assert_int_equal(sum, 1);
}

static void test_not_netlink(void **state)
{
	static const int codes[] = {1, -4096, INT32_MIN};
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct netlink_answer answer = {.sequence = SEQUENCE};
		struct datagram datagram = {};

		add_number(&datagram, NLMSG_DONE, 0, codes[i]);
		netlink_answer_take(&answer, datagram.bytes, datagram.size);
		assert_int_equal(netlink_answer_verdict(&answer, &error), -EPROTO);
	}
	for (size_t size = 1; size < sizeof(struct nlmsghdr) + sizeof(struct nlmsgerr); size++) {
		struct netlink_answer answer = {.sequence = SEQUENCE};
		struct datagram datagram = {};

		add_error(&datagram, 0, 0, true, NULL);
		netlink_answer_take(&answer, datagram.bytes, size);
		assert_int_equal(netlink_answer_verdict(&answer, &error), -EPROTO);
	}
}

/* Whatever comes, nothing outside of the datagram is read: it lies at the end of its own block, for
 * the sanitizer to see. */
static void test_rubbish(void **state)
{
	struct error error;
	int sum;

	(void)state;
	srandom(1);
	for (int i = 0; i < 200000; i++) {
		struct netlink_answer answer = {
			.sequence = SEQUENCE, .callback = count_numbers, .data = &sum};
		struct datagram datagram = {};
		CLEANUP(memory_free) char *block = NULL;
		size_t size;

		sum = 0;
		add_number(&datagram, DATA, NLM_F_MULTI, 1);
		add_error(&datagram, -EINVAL, 8, random() % 2, "words");
		for (long changes = random() % 8; changes > 0; changes--)
			datagram.bytes[(size_t)random() % datagram.size] = (char)random();
		size = (size_t)random() % (datagram.size + 1);
		block = memory_resize(NULL, 1, size);
		memcpy(block, datagram.bytes, size);
		netlink_answer_take(&answer, block, size);
		netlink_answer_verdict(&answer, &error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acknowledged),
		cmocka_unit_test(test_the_kernels_words),
		cmocka_unit_test(test_error_without_words),
		cmocka_unit_test(test_dump_of_many_datagrams),
		cmocka_unit_test(test_dump_that_fails_at_its_end),
		cmocka_unit_test(test_inconsistent_dump),
		cmocka_unit_test(test_callback_refuses),
		cmocka_unit_test(test_not_netlink),
		cmocka_unit_test(test_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
