// The part of libsrtp 3's interface that mediasoup's worker uses, on libsrtp 2.
//
// libsrtp 3 hides the policy behind a pointer and setters, and works from one buffer into another, whose lengths are size_t.
// libsrtp 2 has the policy as a plain struct, and works in place on an int length.
#pragma once

// Both versions call their policy srtp_policy_t: libsrtp 2's gets another name.
#define srtp_policy_t srtp_policy_v2_t
#include <srtp2/srtp.h>
#undef srtp_policy_t

#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

// Errors that are new in libsrtp 3, with its numbers. Only the first can come from here.
inline constexpr auto srtp_err_status_buffer_small = static_cast<srtp_err_status_t>(28);
inline constexpr auto srtp_err_status_cryptex_err = static_cast<srtp_err_status_t>(29);

namespace viaduc
{
	struct SrtpPolicy
	{
		srtp_policy_v2_t inner{};
		unsigned char keyAndSalt[SRTP_MAX_KEY_LEN]{}; // inner.key points here.
	};

	// A byte-wise wipe that the compiler may not leave out.
	inline void Wipe(void* memory, std::size_t size)
	{
		auto* byte = static_cast<volatile unsigned char*>(memory);

		while (size-- > 0)
		{
			*byte++ = 0;
		}
	}

	// Runs one of libsrtp 2's in-place operations from `in` to `out`; `room` is what it may add to the packet.
	inline srtp_err_status_t Transform(
	  srtp_err_status_t (*operation)(srtp_t, void*, int*),
	  srtp_t session,
	  const std::uint8_t* in,
	  std::size_t inLen,
	  std::uint8_t* out,
	  std::size_t* outLen,
	  std::size_t room)
	{
		if (inLen > INT_MAX - room || *outLen < inLen + room)
		{
			return srtp_err_status_buffer_small;
		}

		if (out != in)
		{
			std::memmove(out, in, inLen);
		}

		int length = static_cast<int>(inLen);
		const srtp_err_status_t status = operation(session, out, &length);

		if (status == srtp_err_status_ok)
		{
			*outLen = static_cast<std::size_t>(length);
		}

		return status;
	}
} // namespace viaduc

using srtp_policy_t = viaduc::SrtpPolicy*;

inline srtp_err_status_t srtp_policy_create(srtp_policy_t* policy)
{
	*policy = new (std::nothrow) viaduc::SrtpPolicy;

	return *policy != nullptr ? srtp_err_status_ok : srtp_err_status_alloc_fail;
}

inline void srtp_policy_destroy(srtp_policy_t policy)
{
	if (policy != nullptr)
	{
		viaduc::Wipe(policy->keyAndSalt, sizeof policy->keyAndSalt);
	}

	delete policy;
}

inline srtp_err_status_t srtp_policy_set_ssrc(srtp_policy_t policy, srtp_ssrc_t ssrc)
{
	policy->inner.ssrc = ssrc;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_profile(srtp_policy_t policy, srtp_profile_t profile)
{
	const srtp_err_status_t status = srtp_crypto_policy_set_from_profile_for_rtp(&policy->inner.rtp, profile);

	if (status != srtp_err_status_ok)
	{
		return status;
	}

	return srtp_crypto_policy_set_from_profile_for_rtcp(&policy->inner.rtcp, profile);
}

// The last two arguments name the key (MKI); mediasoup never uses one.
inline srtp_err_status_t srtp_policy_add_key(
  srtp_policy_t policy,
  const std::uint8_t* key,
  std::size_t keyLen,
  const std::uint8_t* salt,
  std::size_t saltLen,
  const std::uint8_t* mki,
  std::size_t /*mkiLen*/)
{
	if (mki != nullptr || keyLen > sizeof policy->keyAndSalt || saltLen > sizeof policy->keyAndSalt - keyLen)
	{
		return srtp_err_status_bad_param;
	}

	std::memcpy(policy->keyAndSalt, key, keyLen);
	std::memcpy(policy->keyAndSalt + keyLen, salt, saltLen);
	policy->inner.key = policy->keyAndSalt;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_allow_repeat_tx(srtp_policy_t policy, bool allow)
{
	policy->inner.allow_repeat_tx = allow ? 1 : 0;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_window_size(srtp_policy_t policy, std::size_t packets)
{
	policy->inner.window_size = packets;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_create(srtp_t* session, srtp_policy_t policy)
{
	return srtp_create(session, static_cast<const srtp_policy_v2_t*>(&policy->inner));
}

inline srtp_err_status_t srtp_stream_remove(srtp_t session, std::uint32_t ssrc)
{
	return srtp_remove_stream(session, ssrc);
}

inline srtp_err_status_t srtp_protect(
  srtp_t session, const std::uint8_t* rtp, std::size_t rtpLen, std::uint8_t* srtp, std::size_t* srtpLen, std::size_t /*mkiIndex*/)
{
	return viaduc::Transform(&::srtp_protect, session, rtp, rtpLen, srtp, srtpLen, SRTP_MAX_TRAILER_LEN);
}

inline srtp_err_status_t srtp_unprotect(
  srtp_t session, const std::uint8_t* srtp, std::size_t srtpLen, std::uint8_t* rtp, std::size_t* rtpLen)
{
	return viaduc::Transform(&::srtp_unprotect, session, srtp, srtpLen, rtp, rtpLen, 0);
}

// SRTCP adds a 4-byte index before the authentication tag.
inline srtp_err_status_t srtp_protect_rtcp(
  srtp_t session, const std::uint8_t* rtcp, std::size_t rtcpLen, std::uint8_t* srtcp, std::size_t* srtcpLen, std::size_t /*mkiIndex*/)
{
	return viaduc::Transform(&::srtp_protect_rtcp, session, rtcp, rtcpLen, srtcp, srtcpLen, SRTP_MAX_TRAILER_LEN + 4);
}

inline srtp_err_status_t srtp_unprotect_rtcp(
  srtp_t session, const std::uint8_t* srtcp, std::size_t srtcpLen, std::uint8_t* rtcp, std::size_t* rtcpLen)
{
	return viaduc::Transform(&::srtp_unprotect_rtcp, session, srtcp, srtcpLen, rtcp, rtcpLen, 0);
}
