"""Judgements of VMs, batches and the group: are they well?"""
